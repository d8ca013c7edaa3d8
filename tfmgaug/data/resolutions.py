"""Images reduced to one of several resolutions."""

from collections.abc import Sequence

import tensorflow as tf

from tfmgaug.data.indexed import check_integer


def checked_resolutions(
    resolutions: Sequence[int] | None, image_shape: tuple[int, int, int]
) -> tuple[int, ...] | None:
    """Checks sides that images are to be reduced to.

    Args:
        resolutions: ints, or None.
        image_shape: (height, width, channels) of the images.

    Returns:
        A tuple of ints, or None.

    Raises:
        TypeError: a side is no int.
        ValueError: there is none, one is larger than the images, or these are not square.
    """
    if resolutions is None:
        return None
    sizes = tuple(check_integer("resolutions", size) for size in resolutions)
    height, width, _ = image_shape
    if not sizes or height != width or max(sizes) > height:
        raise ValueError(
            "`resolutions` must be sides that square images can be reduced to. "
            f"Received: {sizes} for images of {height} x {width}"
        )
    return sizes


def reduced(images: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Reduces images, with corners where they were.

    Args:
        images: uint8 `[tasks, images, height, width, channels]`.
        size: int32 scalar, height and width of the result.

    Returns:
        The images, uint8 `[tasks, images, size, size, channels]`.
    """
    tasks, number, _, _, channels = images.shape
    resized = tf.compat.v1.image.resize(
        tf.reshape(images, [-1, *images.shape[2:]]), [size, size], align_corners=True
    )
    resized = tf.saturate_cast(tf.round(resized), tf.uint8)
    resized = tf.reshape(resized, [-1, number, size, size, channels])
    return tf.ensure_shape(resized, [tasks, number, None, None, channels])
