"""Photos of several sizes that keep their aspect ratio, each in the corner of a larger square."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tfmgaug.data import cache, decoding


class Padded:
    """Writes photos into a cache entry, each into the upper left corner of black images.

    Args:
        writer: of the entry.
        image_size: height and width of what is written.

    Attributes:
        sizes: `[height, width]` of the photo in each row.
    """

    def __init__(self, writer: cache.Writer, image_size: tuple[int, int]) -> None:
        self._writer = writer
        self._image_size = image_size
        self._sizes: dict[int, list[int]] = {}

    @property
    def shape(self) -> None:
        """No shape that photos must share."""
        return None

    @property
    def sizes(self) -> list[list[int]]:
        return [self._sizes[row] for row in range(len(self._sizes))]

    def write(self, row: int, image: np.ndarray) -> None:
        """Writes one photo.

        Args:
            row: its index.
            image: `[height, width, channels]` uint8, no larger than the images.
        """
        height, width, channels = image.shape
        padded = np.zeros([*self._image_size, channels], np.uint8)
        padded[:height, :width] = image
        self._writer.write(row, padded)
        self._sizes[row] = [height, width]


def held(image_size: tuple[int, int], headers: Iterable[decoding.Header]) -> tuple[int, int]:
    """Returns the size of images that hold all photos.

    Args:
        image_size: height and width that photos are shrunk to fit into.
        headers: of the photos.

    Returns:
        `image_size`, or less where all photos are smaller.
    """
    sizes = [decoding.fitted(header.height, header.width, image_size) for header in headers]
    return tuple(max(side) for side in zip(*sizes)) if sizes else image_size  # type: ignore[return-value]


def check(keep_aspect_ratio: bool, image_size: Any) -> None:
    """Refuses photos that keep their aspect ratio, but have no size to fit into.

    Args:
        keep_aspect_ratio: whether they do.
        image_size: what they fit into, or None.

    Raises:
        ValueError: it is None.
    """
    if keep_aspect_ratio and image_size is None:
        raise ValueError(
            "`keep_aspect_ratio` needs `image_size`, which photos are shrunk to fit into, e.g. 2.5 "
            "times the side of the crops. Received: image_size=None."
        )


def checked_sizes(sizes: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Returns sizes of photos as an array, if they lie within their images.

    Args:
        sizes: height and width of each photo.
        shape: of the images.

    Returns:
        `[images, 2]` int32.

    Raises:
        ValueError: they have another shape or type, or a photo is larger than its image.
    """
    array = np.asarray(sizes)
    if not array.size:
        array = array.reshape(0, 2).astype(np.int32)
    fits = array.shape == (shape[0], 2) and array.dtype.kind in "iu"
    if not fits or (array < 1).any() or (array > np.array(shape[1:3])).any():
        raise ValueError(
            f"`sizes` must be height and width of each of {shape[0]} photos, integers from 1 to "
            f"{shape[1]} and {shape[2]}. Received: shape {array.shape}, dtype {array.dtype}"
            + (f", from {array.min()} to {array.max()}." if array.size else ".")
        )
    return array.astype(np.int32)
