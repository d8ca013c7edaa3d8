"""Identical and nearly identical pictures among the images of a class.

Where such pictures stand on both sides of an episode, its queries are answered by recognition, and
every accuracy is flattered. Two pictures are near-duplicates if

- of the steps between neighbors in a gray image of 8 x 9 pixels (a difference hash) at least 40 of
  64 are no plain ground in one of the two, and at most 10 in 64 of these rise in one picture and
  fall in the other, and
- gray images of 16 x 16 pixels, less their means, differ by at most 0.3 standard deviations on
  average.

By this measure pairs from two classes, which can't be near-duplicates, are so in none of 3 million
pairs of CIFAR-100 and of Omniglot, and in 2 of Grocery (one shelf). Of pairs in one class, 107 of
714,000 are so in CIFAR-100, 133 of 308,000 in Omniglot, and 62 of 200,000 in Grocery, which all
show one thing from one place. Photos that are compressed as JPEG of quality 30, made brighter,
noisy, or halved in size and enlarged are all found (92 % at 32 x 32 pixels), of photos that are
cropped by 3 % on each side half. Most drawings of thin lines are too plain to be told apart.
"""

import collections
import dataclasses
import functools
import hashlib
import itertools
import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from tfmgaug.data import cache

_ACTIVE = 40  # steps of the difference hash that are no plain ground
_DIFFERENT = 10 / 64  # the largest share of them that may differ
_PLAIN = 0.1  # standard deviations that a step is less than on plain ground
_DISTANCE = 0.3  # mean difference, in standard deviations
_HASH, _GRAY = (8, 9), (16, 16)
_COMPARED = 10_000  # images of a class of which every two are compared
_AT_ONCE = 1024  # images in floating point, and rows of a table of pairs
_TOLD = 0.01  # the share of near-duplicates from which on a warning tells of them
_VERSION = 1  # raise it when the same images would be counted otherwise


@dataclasses.dataclass(frozen=True, eq=False)
class Duplicates:
    """How many images of each class have a twin in it.

    Attributes:
        identical: images with the same pixels as another of their class, `[classes]`.
        near: further images that another of their class nearly equals, `[classes]`.
        across: names of classes that have pictures in common, and how many pictures.
    """

    identical: np.ndarray
    near: np.ndarray
    across: tuple[tuple[tuple[str, ...], int], ...] = ()

    def of_classes(self, indices: Sequence[int] | np.ndarray) -> "Duplicates":
        """Returns the numbers of some of the classes."""
        chosen = np.asarray(indices, int)
        return Duplicates(self.identical[chosen], self.near[chosen], self.across)

    def to_json(self) -> dict[str, list]:
        """Returns the numbers as lists."""
        counts = {name: getattr(self, name).tolist() for name in ("identical", "near")}
        return {**counts, "across": [list(shared) for shared in self.across]}

    @classmethod
    def from_json(cls, lists: dict[str, list]) -> "Duplicates":
        """Returns the numbers from the lists of `to_json`."""
        counts = (np.array(lists[name], int) for name in ("identical", "near"))
        return cls(*counts, tuple((tuple(names), number) for names, number in lists["across"]))  # type: ignore[arg-type, call-arg]

    def between(self, sets: Sequence[Sequence[str]]) -> int:
        """Counts the pictures that are in classes of two sets.

        Args:
            sets: names of classes.
        """
        set_of = {name: number for number, names in enumerate(sets) for name in names}
        return sum(
            number
            for names, number in self.across
            if len({set_of[name] for name in names if name in set_of}) > 1
        )


def count_duplicates(classes: Any) -> Duplicates:
    """Counts identical and nearly identical pictures among the images of a class.

    Images of one group, which never stand on both sides of an episode, are no twins. In classes of
    more than 10 000 images, nearly identical ones are counted among 10 000 of them. What is nearly
    identical, `tfmgaug.data.duplicates` says.

    Args:
        classes: images by class (`ImageClasses`).

    Returns:
        The `Duplicates`: those that were counted when the data were opened, if they were.

    Example:
    >>> train, _, _ = from_folder("photos/", image_size=84)
    >>> int(count_duplicates(train).identical.sum())
    """
    if classes.duplicates is not None:
        return classes.duplicates
    identical, near = [], []
    classes_of_digest: dict[bytes, set[int]] = {}
    for c, (first, last) in enumerate(itertools.pairwise(classes.offsets.tolist())):
        images = classes.images[first:last]
        groups = np.arange(len(images)) if classes.groups is None else classes.groups[first:last]
        digests = [_digest(image) for image in images]
        twins = _identical(digests, groups)
        identical.append(int(twins.sum()))
        near.append(int((_near(images, groups) & ~twins).sum()))
        for digest in digests:
            classes_of_digest.setdefault(digest, set()).add(c)
    return Duplicates(
        np.array(identical, int),
        np.array(near, int),
        _across(classes_of_digest, classes.class_names),
    )


def with_duplicates(classes: Any, key: str, cache_dir: str | os.PathLike | None) -> Any:
    """Returns images of an entry of the cache with their duplicates, counted once.

    Args:
        classes: all images of the entry by class (`ImageClasses`).
        key: of the entry.
        cache_dir: see `tfmgaug.data.cache.cache_directory`.

    Returns:
        The same images by class, `duplicates` filled in.
    """
    groups = "" if classes.groups is None else hashlib.blake2b(classes.groups.tobytes()).hexdigest()
    note = cache.cached_note(
        cache.make_key("duplicates", _VERSION, key, classes.class_names, groups),
        lambda: count_duplicates(classes).to_json(),
        cache_dir,
    )
    return dataclasses.replace(classes, duplicates=Duplicates.from_json(note))


def warn_of_duplicates(sets: Sequence, stacklevel: int = 3) -> None:
    """Says in one line how many pictures have twins, if there are any to speak of.

    It speaks of identical ones, of nearly identical ones from 1 % of the images on, and of pictures
    that classes of two sets have in common.

    Args:
        sets: `ImageClasses` of one source, such as training, validation and test classes.
        stacklevel: of the warning, see `warnings.warn`.
    """
    sets = [classes for classes in sets if len(classes)]
    counts = [count_duplicates(classes) for classes in sets]
    identical, near = (sum(int(getattr(c, n).sum()) for c in counts) for n in ("identical", "near"))
    between = counts[0].between([c.class_names for c in sets]) if counts else 0
    images = sum(len(classes.images) for classes in sets)
    told = [f"{identical} have an identical picture in their class"] if identical else []
    if near >= max(_TOLD * images, 1):
        told.append(f"{near} {'others ' if told else ''}have a near-duplicate in their class")
    if between:
        told.append(f"{between} pictures are in classes of two splits")
    if told:
        warnings.warn(
            f"Of {images} images of {sets[0].name.split('/')[0]!r}, {' and '.join(told)}: this "
            "flatters every accuracy. Remove them, or keep on one side of an episode what belongs "
            "together, by `groups` (--groups).",
            stacklevel=stacklevel,
        )


def _digest(image: np.ndarray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()  # type: ignore[arg-type]


def _identical(digests: list[bytes], groups: np.ndarray) -> np.ndarray:
    """Whether each image has an identical one in another group."""
    places: dict[bytes, set[int]] = {}
    for digest, group in zip(digests, groups.tolist()):
        places.setdefault(digest, set()).add(group)
    return np.array([len(places[digest]) > 1 for digest in digests], bool)


def _across(
    classes_of_digest: dict[bytes, set[int]], names: Sequence[str]
) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Counts the pictures of every set of classes that have some in common."""
    shared = collections.Counter(tuple(sorted(classes)) for classes in classes_of_digest.values())
    return tuple(
        (tuple(names[c] for c in classes), number)
        for classes, number in sorted(shared.items())
        if len(classes) > 1
    )


def _near(images: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Whether each image has a near-duplicate in another group."""
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), _COMPARED)).astype(int))
    parts = [_features(images[rows[i : i + _AT_ONCE]]) for i in range(0, len(rows), _AT_ONCE)]
    active, rising, gray = (np.concatenate(part) for part in zip(*parts))
    groups, near = groups[rows], np.zeros(len(rows), bool)
    for start in range(0, len(rows), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        either = active[part, np.newaxis] | active[start:]
        total = np.bitwise_count(either)
        different = np.bitwise_count((rising[part, np.newaxis] ^ rising[start:]) & either)
        alike = (total >= _ACTIVE) & (different <= _DIFFERENT * total)
        alike &= groups[part, np.newaxis] != groups[start:]
        pairs = np.argwhere(np.triu(alike, 1)) + start
        for i in range(0, len(pairs), _AT_ONCE):
            first, second = pairs[i : i + _AT_ONCE].T
            close = np.abs(gray[first] - gray[second]).mean(1) <= _DISTANCE
            near[first[close]] = near[second[close]] = True
    result = np.zeros(len(images), bool)
    result[rows] = near
    return result


def _features(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which steps of the hash are no plain ground, which rise, and the image of 16 x 16 pixels.

    That image is in units of its standard deviation. Lighter steps than pixels make are plain.
    """
    count, height, width, channels = images.shape
    across = np.hstack([_averages(width, _HASH[1]), _averages(width, _GRAY[1])])
    flat = images.reshape(count * height, width * channels).astype(np.float32)
    narrow = flat @ np.repeat(across / channels, channels, axis=0)
    narrow = narrow.reshape(count, height, -1)
    hashed = _averages(height, _HASH[0]).T @ narrow[:, :, : _HASH[1]]
    gray = (_averages(height, _GRAY[0]).T @ narrow[:, :, _HASH[1] :]).reshape(count, -1)
    deviation = np.maximum(gray.std(1, keepdims=True), 1)  # of pixels from 0 to 255
    steps = np.diff(hashed, axis=2).reshape(count, -1)
    gray = (gray - gray.mean(1, keepdims=True)) / deviation
    return _bits(np.abs(steps) > _PLAIN * deviation), _bits(steps > 0), gray


def _bits(flags: np.ndarray) -> np.ndarray:
    """64 flags of each image as one integer."""
    return np.packbits(flags, axis=1).view(np.uint64)[:, 0]


@functools.cache
def _averages(size: int, parts: int) -> np.ndarray:
    """`[size, parts]` weights by which pixels are averaged over parts of equal length."""
    edges = np.linspace(0, size, parts + 1)
    pixels = np.arange(size)[:, np.newaxis]
    overlap = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return (np.maximum(overlap, 0) * parts / size).astype(np.float32)
