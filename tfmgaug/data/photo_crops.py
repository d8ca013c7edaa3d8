"""Random crops of photos with their own aspect ratio, resized as Pillow resizes."""

import math

import tensorflow as tf

ATTEMPTS = 10
DRAWS = 2 * ATTEMPTS + 2  # area and aspect ratio of each attempt, and the place


def boxes(
    draws: tf.Tensor, sizes: tf.Tensor, scale: tuple[float, float], ratio: tuple[float, float]
) -> tf.Tensor:
    """Draws rectangles of whole pixels in photos, as torchvision's RandomResizedCrop does.

    Args:
        draws: `[images, DRAWS]` float32 in [0, 1).
        sizes: `[images, 2]` integers, height and width of each photo.
        scale: range of the share of the area.
        ratio: range of width over height in pixels, which is drawn log-uniformly.

    Returns:
        `[images, 4]` float32: top, left, height and width. The first of ten attempts that fits into
        the photo; the largest rectangle in the center, of the nearest ratio, where none does.
    """
    sizes = tf.cast(sizes, tf.float32)
    whole = sizes[:, tf.newaxis]  # [images, 1, 2]
    areas, ratios, place = tf.split(draws, [ATTEMPTS, ATTEMPTS, 2], axis=1)
    areas = (scale[0] + (scale[1] - scale[0]) * areas) * tf.reduce_prod(whole, axis=-1)
    low, high = (tf.math.log(bound) for bound in ratio)
    ratios = tf.exp(low + (high - low) * ratios)
    tried = tf.round(tf.stack([tf.sqrt(areas / ratios), tf.sqrt(areas * ratios)], axis=-1))
    fits = tf.reduce_all((tried > 0) & (tried <= whole), axis=-1)
    first = tf.argmax(tf.cast(fits, tf.int32), axis=-1)
    some = tf.reduce_any(fits, axis=-1, keepdims=True)
    size = tf.where(some, tf.gather(tried, first, batch_dims=1), _central(sizes, ratio))
    start = tf.where(some, tf.floor(place * (sizes - size + 1)), tf.floor((sizes - size) / 2))
    return tf.concat([start, size], axis=-1)


def _central(sizes: tf.Tensor, ratio: tuple[float, float]) -> tf.Tensor:
    """The largest height and width whose ratio is in the range."""
    height, width = tf.unstack(sizes, axis=-1)
    limited = [tf.round(width / ratio[0]), tf.round(height * ratio[1])]
    return tf.stack([tf.minimum(height, limited[0]), tf.minimum(width, limited[1])], axis=-1)


def resized(images: tf.Tensor, crops: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Cuts rectangles out and resizes them, bilinearly and antialiased.

    Args:
        images: `[images, rows, columns, channels]` uint8.
        crops: `[images, 4]` float32 of `boxes`, within the images.
        height: of the result.
        width: of the result.

    Returns:
        `[images, height, width, channels]` float32, what Pillow's `crop` and `resize` give but for
        its rounding.
    """
    top, left, rows, columns = tf.unstack(crops[..., tf.newaxis], axis=1)
    # Compiled apart: in one function, whole rows would be computed again for each of their pixels.
    return _columns(_rows(images, top, rows, height), left, columns, width)


@tf.function(jit_compile=True, autograph=False)
def _rows(images: tf.Tensor, start: tf.Tensor, length: tf.Tensor, size: int) -> tf.Tensor:
    """Images whose rows are resampled, from `length` of them behind `start` `[images, 1]`."""
    shape = images.shape
    flat = tf.reshape(images, [-1, shape[1], shape[2] * shape[3]])
    resampled = sum(
        weight[..., tf.newaxis] * tf.cast(tf.gather(flat, pixel, batch_dims=1), tf.float32)
        for weight, pixel in _taps(start, length, size, shape[1])
    )
    return tf.reshape(resampled, [-1, size, *shape[2:]])


@tf.function(jit_compile=True, autograph=False)
def _columns(images: tf.Tensor, start: tf.Tensor, length: tf.Tensor, size: int) -> tf.Tensor:
    """Images whose columns are resampled, likewise."""
    return sum(
        weight[:, tf.newaxis, :, tf.newaxis] * tf.gather(images, pixel, axis=2, batch_dims=1)
        for weight, pixel in _taps(start, length, size, images.shape[2])
    )


def _taps(
    start: tf.Tensor, length: tf.Tensor, size: int, pixels: int
) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """The weights and the places `[images, size]` of the pixels that are averaged.

    Weights fall off as a triangle around the middle, over as many pixels as become one.
    """
    step = length / size
    reach = tf.maximum(step, 1.0)
    center = (tf.range(size, dtype=tf.float32) + 0.5) * step
    # No multiple of 1 / (2 size) is a tie: compiled code that computes it twice finds one pixel.
    nearest = tf.floor(center - reach + 0.5 - 0.25 / size)
    weights, places = [], []
    for tap in range(2 * math.ceil(max(pixels / size, 1)) + 1):
        pixel = nearest + tap
        weight = tf.maximum(1.0 - tf.abs(pixel + 0.5 - center) / reach, 0.0)
        weights.append(tf.where((pixel >= 0) & (pixel < length), weight, 0.0))
        places.append(tf.clip_by_value(tf.cast(start + pixel, tf.int32), 0, pixels - 1))
    total = tf.add_n(weights)
    return [(weight / total, place) for weight, place in zip(weights, places)]
