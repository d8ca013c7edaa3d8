"""Images by class from a few files that hold many images, such as pickles and Parquet files."""

import collections
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfmgaug.data import cache, decoding, photos, published_classes, splitting, workers
from tfmgaug.data.duplicates import with_duplicates
from tfmgaug.data.image_classes import ImageClasses, Splits


class Part(NamedTuple):
    """Some of the images, all those of their classes.

    Attributes:
        file: that the images are from, for messages.
        split: which the file says their classes are of; None if it says nothing.
        class_of: the name of each image's class.
        images: of the same order: arrays `[height, width, channels]` uint8, or encoded bytes.
        size: height and width of the images, where they are arrays.
    """

    file: str
    split: str | None
    class_of: Sequence[str]
    images: Iterable[Any]
    size: tuple[int, int] | None = None


class Archive(NamedTuple):
    """Files that hold images by class.

    Attributes:
        root: the folder.
        files: their paths in it.
        parts: reads them, part after part.
    """

    root: pathlib.Path
    files: list[str]
    parts: Callable[[], Iterator[Part]]


def read(
    archive: Archive,
    name: str,
    lists: Mapping[str, list[str]],
    image_size: tuple[int, int],
    cache_dir: str | os.PathLike | None,
    keep_aspect_ratio: bool,
) -> Splits:
    """Reads an archive, or finds its images in the cache, and splits it by the published lists.

    Args:
        archive: the files.
        name: of the data set.
        lists: class names for training, validation and test.
        image_size: height and width.
        cache_dir: folder of the cache.
        keep_aspect_ratio: whether images are shrunk to fit into `image_size`.

    Returns:
        `Splits(train, validation, test)`.

    Raises:
        ValueError: a file is damaged, or holds other classes than the lists.
        OSError: the cache cannot be written.
    """
    content = cache.content_key(archive.root, archive.files, cache_dir)
    key = cache.make_key("archive", content, archive.files, name, image_size, keep_aspect_ratio)
    images, details = cache.cached_images(
        key,
        lambda writer: _write(archive, name, lists, image_size, keep_aspect_ratio, writer),
        cache_dir,
    )
    offsets = np.concatenate([[0], np.cumsum(details["counts"])])
    sizes = details.get("sizes")
    classes = ImageClasses(images, offsets, tuple(details["names"]), name, sizes=sizes)
    if not keep_aspect_ratio:
        classes = with_duplicates(classes, key, cache_dir)
    return splitting.arrange(classes, details["groups"], cache_dir)


def _write(
    archive: Archive,
    name: str,
    lists: Mapping[str, list[str]],
    image_size: tuple[int, int],
    keep_aspect_ratio: bool,
    writer: cache.Writer,
) -> tuple[int, dict[str, Any]]:
    """Writes the images of the published classes, class after class."""
    rows_of: Any = writer
    counts: dict[str, int] = {}
    groups: dict[str, list[str]] = {}
    for part in archive.parts():
        groups |= published_classes.groups_of(part.class_of, part.split, part.file, name, lists)
        wanted = {c for group in groups.values() for c in group} - set(counts)
        if keep_aspect_ratio and not counts:
            rows_of = photos.Padded(writer, decoding.fitted(*(part.size or image_size), image_size))
        rows = _rows(part.class_of, wanted, sum(counts.values()))
        chosen = ((i, image) for i, image in enumerate(part.images) if rows[i] is not None)
        decode = _decoder(part.file, image_size, keep_aspect_ratio)
        for row, image in zip(
            (r for r in rows if r is not None), workers.map_in_order(decode, chosen)
        ):
            rows_of.write(row, image)
        number = collections.Counter(c for c in part.class_of if c in wanted)
        counts |= {c: number[c] for c in sorted(number)}
    details = {"counts": list(counts.values()), "names": list(counts)}
    details |= {"groups": [groups[split] for split in Splits._fields]}
    return sum(counts.values()), details | ({"sizes": rows_of.sizes} if keep_aspect_ratio else {})


def _rows(class_of: Sequence[str], wanted: set[str], first: int) -> list[int | None]:
    """The row of each image if classes follow each other by name; None for other classes."""
    chosen = [i for i, c in enumerate(class_of) if c in wanted]
    order = sorted(chosen, key=lambda i: class_of[i])
    rows: list[int | None] = [None] * len(class_of)
    for row, i in enumerate(order, first):
        rows[i] = row
    return rows


def _decoder(
    file: str, image_size: tuple[int, int], keep_aspect_ratio: bool
) -> Callable[[tuple[int, Any]], np.ndarray]:
    def decode(numbered: tuple[int, Any]) -> np.ndarray:
        number, image = numbered
        if isinstance(image, np.ndarray) and image.ndim == 3:
            size = image_size
            if keep_aspect_ratio:
                size = decoding.fitted(image.shape[0], image.shape[1], image_size)
            return decoding.resize(image[np.newaxis], size)[0]
        try:
            encoded = image.tobytes() if isinstance(image, np.ndarray) else bytes(image)
            return decoding.decode(encoded, image_size, 3, None, keep_aspect_ratio)
        except Exception as error:  # Pillow's decoders raise errors of every kind
            raise ValueError(f"Image {number} of {file!r} cannot be decoded: {error}.") from error

    return decode
