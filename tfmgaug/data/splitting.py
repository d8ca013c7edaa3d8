"""Classes split into training, validation and test classes."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from tfmgaug.data import cache
from tfmgaug.data.image_classes import ImageClasses, Splits

FRACTIONS = (0.64, 0.16, 0.2)


def split_classes(
    classes: ImageClasses, fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> Splits:
    """Splits images by class into training, validation and test classes at random.

    Args:
        classes: images by class.
        fractions: shares of the classes for training, validation and test, which sum to 1. A
            share of 0 gives a set without classes, every other one at least one class.
        seed: determines which classes go where.

    Returns:
        `Splits(train, validation, test)`; the chosen classes are copied in memory.

    Raises:
        ValueError: the fractions are not three shares of 1, or there are too few classes.

    Example:
    >>> train, validation, test = split_classes(classes, fractions=(0.5, 0.25, 0.25), seed=1)
    """
    groups = draw_groups(classes.class_names, fractions, seed)
    return Splits(
        *(classes.subset(g, f"{classes.name}/{s}") for s, g in zip(Splits._fields, groups))
    )


def draw_groups(
    names: Sequence[str], fractions: Sequence[float] = FRACTIONS, seed: int = 0
) -> list[list[str]]:
    """Partitions names at random into three groups, each in sorted order.

    Args:
        names: different names, in any order.
        fractions: shares of the groups, which sum to 1.
        seed: determines the partition, together with the set of names.

    Returns:
        The three groups.

    Raises:
        ValueError: the fractions are not three shares of 1, or there are too few names.
    """
    fractions = [float(fraction) for fraction in fractions]
    if len(fractions) != 3 or min(fractions) < 0 or not np.isclose(sum(fractions), 1):
        raise ValueError(
            "`fractions` must be three shares (training, validation, test) that sum to 1. "
            f"Received: {fractions}."
        )
    needed = sum(fraction > 0 for fraction in fractions)
    if len(names) < needed:
        raise ValueError(
            f"A split by fractions {fractions} needs at least {needed} classes. "
            f"Received {len(names)}: {list(names)}."
        )
    order = np.random.default_rng(seed).permutation(sorted(names))
    ends = np.cumsum(_sizes(len(names), fractions))
    return [sorted(str(name) for name in group) for group in np.split(order, ends[:-1])]


def arrange(
    classes: ImageClasses,
    groups: Sequence[Sequence[str]],
    cache_dir: str | os.PathLike | None = None,
) -> Splits:
    """Splits cached images by lists of class names; the result is memory-mapped as well.

    Images of a class, and classes of a split, are adjacent: unless they already are, a copy in
    the new order goes into the cache.

    Args:
        classes: all images of an entry of the cache, memory-mapped, by class.
        groups: class names for training, validation and test.
        cache_dir: see `tfmgaug.data.cache.cache_directory`.

    Returns:
        `Splits(train, validation, test)`.
    """
    names = [name for group in groups for name in group]
    if names != list(classes.class_names[: len(names)]):
        entry = pathlib.Path(classes.images.filename).stem  # type: ignore[attr-defined]
        images, _ = cache.cached_images(
            cache.make_key("arranged", entry, names),
            lambda writer: (_copy(classes, names, writer), {}),
            cache_dir,
        )
        classes = classes.reordered(names, images)
    return Splits(
        *(classes.subset(g, f"{classes.name}/{s}") for s, g in zip(Splits._fields, groups))
    )


def _copy(classes: ImageClasses, names: Sequence[str], writer: cache.Writer) -> int:
    row = 0
    for name in names:
        images = classes.of_class(name)
        writer.write(row, images)
        row += len(images)
    return row


def _sizes(count: int, fractions: Sequence[float]) -> list[int]:
    """Shares out a count: each nearest to its fraction, and at least 1 where that is positive."""
    sizes = [max(round(count * fraction), int(fraction > 0)) for fraction in fractions]
    while sum(sizes) != count:
        step = 1 if sum(sizes) < count else -1
        # The group that is furthest on the wrong side gives or takes.
        gaps = [
            step * (count * f - size) if f > 0 else -np.inf for f, size in zip(fractions, sizes)
        ]
        gaps = [-np.inf if step < 0 and size <= 1 else gap for gap, size in zip(gaps, sizes)]
        sizes[int(np.argmax(gaps))] += step
    return sizes
