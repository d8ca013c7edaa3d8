"""Color jitter and horizontal flips of images, by random numbers that are passed in."""

import numbers

import tensorflow as tf

DRAWS = 4  # brightness, contrast, saturation and the flip
_GRAY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601, red green blue


def check(jitter: float, flip: bool) -> None:
    """Refuses what are no arguments of `recolored`.

    Args:
        jitter: half width of the range of the factors.
        flip: whether half of the images are flipped.

    Raises:
        TypeError: one has a wrong type.
        ValueError: `jitter` is out of range.
    """
    if not isinstance(jitter, numbers.Real) or isinstance(jitter, bool):
        raise TypeError(f"`jitter` must be a number. Received: {jitter!r}")
    if not 0 <= jitter <= 1:
        raise ValueError(f"`jitter` must be from 0 to 1. Received: jitter={jitter}")
    if not isinstance(flip, bool):
        raise TypeError(f"`flip` must be True or False. Received: {flip!r}")


def recolored(images: tf.Tensor, draws: tf.Tensor, jitter: float, flip: bool) -> tf.Tensor:
    """Images with brightness, contrast and saturation multiplied, and half of them flipped.

    Args:
        images: `[images, height, width, channels]` in 0-255.
        draws: `[images, DRAWS]` float32 in [0, 1).
        jitter: the factors are uniform in [1 - jitter, 1 + jitter]; 0 for none.
        flip: whether half of the images are flipped horizontally.

    Returns:
        Images of the same shape, uint8.
    """
    factors = 1.0 - jitter + 2.0 * jitter * draws[:, :-1]
    factors = tf.transpose(factors)[:, :, tf.newaxis, tf.newaxis, tf.newaxis]
    flipped = draws[:, -1:, tf.newaxis, tf.newaxis] < 0.5
    return _recolored(images, factors if jitter else None, flipped if flip else None)


@tf.function(jit_compile=True, autograph=False)
def _recolored(
    images: tf.Tensor, factors: tf.Tensor | None, flipped: tf.Tensor | None
) -> tf.Tensor:
    """Images as uint8, with brightness, contrast and saturation multiplied, and some flipped."""
    images = tf.cast(images, tf.float32)
    if factors is not None:
        images = tf.clip_by_value(factors[0] * images, 0.0, 255.0)
        mean = tf.reduce_mean(_gray(images), axis=[1, 2, 3], keepdims=True)
        images = _blend(mean, images, factors[1])
        if images.shape[-1] == 3:
            images = _blend(_gray(images), images, factors[2])
    if flipped is not None:
        images = tf.where(flipped, tf.reverse(images, axis=[2]), images)
    return tf.cast(tf.clip_by_value(tf.round(images), 0.0, 255.0), tf.uint8)


def _blend(start: tf.Tensor, end: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(start + factor * (end - start), 0.0, 255.0)


def _gray(images: tf.Tensor) -> tf.Tensor:
    if images.shape[-1] != 3:
        return images
    return sum(weight * images[..., c : c + 1] for c, weight in enumerate(_GRAY_WEIGHTS))
