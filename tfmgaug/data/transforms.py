"""Image augmentation with stateless random draws."""

import numbers

import tensorflow as tf

_CROP_ATTEMPTS = 10
_GRAY_WEIGHTS = (0.299, 0.587, 0.114)  # ITU-R BT.601, red green blue


class Augment:
    """Random resized crop, color jitter and horizontal flip, drawn anew for every image.

    A crop covers a uniform share of the image's area, has a log-uniform aspect ratio and is
    resized, bilinearly, to the size of the image. Brightness, contrast and saturation are then
    multiplied, in this order, by factors uniform in [1 - jitter, 1 + jitter]; gray images have no
    saturation. Half of the images are flipped. The defaults are those of the paper; characters
    that differ from their mirror image want `flip=False`.

    All draws depend on the seed alone: the same images and seed give the same result.

    Args:
        crop_scale: `(low, high)`, the share of the area that a crop covers; None for no crop.
        jitter: half width of the range of the factors, from 0 (none) to 1.
        flip: whether half of the images are flipped horizontally.
        aspect_ratio: `(low, high)`, width over height of a crop, relative to the image's.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range.

    Example:
    >>> episodes = EpisodeSampler(train, transform=Augment(flip=False))
    >>> images = Augment()(images, seed=(0, 1))

    Reference:
        Wang et al., Improving Generalization in Meta-Learning via Meta-Gradient Augmentation
        (2023), the image augmentation of its experiments.
    """

    def __init__(
        self,
        crop_scale: tuple[float, float] | None = (0.08, 1.0),
        jitter: float = 0.4,
        flip: bool = True,
        aspect_ratio: tuple[float, float] = (3 / 4, 4 / 3),
    ):
        if crop_scale is not None:
            crop_scale = _check_range("crop_scale", crop_scale)
            if crop_scale[1] > 1:
                raise ValueError(f"`crop_scale` must not exceed 1. Received: {crop_scale}")
        if not isinstance(jitter, numbers.Real) or isinstance(jitter, bool):
            raise TypeError(f"`jitter` must be a number. Received: {jitter!r}")
        if not 0 <= jitter <= 1:
            raise ValueError(f"`jitter` must be from 0 to 1. Received: jitter={jitter}")
        if not isinstance(flip, bool):
            raise TypeError(f"`flip` must be True or False. Received: {flip!r}")
        self.crop_scale = crop_scale
        self.jitter = float(jitter)
        self.flip = flip
        self.aspect_ratio = _check_range("aspect_ratio", aspect_ratio)

    def __call__(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """The augmented images.

        Args:
            images: `[images, height, width, channels]` uint8.
            seed: `[2]` integers.

        Returns:
            Images of the same shape, uint8.

        Raises:
            ValueError: if the images are not four-dimensional or not uint8.
        """
        images = tf.convert_to_tensor(images)
        if images.shape.rank != 4 or images.dtype != tf.uint8:
            raise ValueError(
                "Expected images [images, height, width, channels] of dtype uint8. Received: "
                f"shape {images.shape}, dtype {images.dtype.name}"
            )
        shape = images.shape
        crop_seed, jitter_seed, flip_seed = tf.unstack(tf.random.split(seed, 3))
        if self.crop_scale is not None:
            images = self._crop(images, crop_seed)
        flipped = tf.random.stateless_uniform([tf.shape(images)[0], 1, 1, 1], flip_seed) < 0.5
        images = _recolor(
            tf.cast(images, tf.float32),
            self._factors(tf.shape(images)[0], jitter_seed) if self.jitter else None,
            flipped if self.flip else None,
        )
        return tf.ensure_shape(images, shape)

    def _crop(self, images: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        number = tf.shape(images)[0]
        draws = tf.random.stateless_uniform([4, number, _CROP_ATTEMPTS], seed)
        low, high = self.crop_scale
        area = low + (high - low) * draws[0]
        low, high = (tf.math.log(bound) for bound in self.aspect_ratio)
        ratio = tf.exp(low + (high - low) * draws[1])
        widths, heights = tf.sqrt(area * ratio), tf.sqrt(area / ratio)
        # The first attempt that fits into the image; the last one is cut where none does.
        fits = tf.cast(tf.maximum(widths, heights) <= 1.0, tf.float32)
        fits += tf.one_hot(_CROP_ATTEMPTS - 1, _CROP_ATTEMPTS, on_value=0.5)
        first = tf.argmax(tf.minimum(fits, 1.0), axis=-1)
        width, height, top, left = (
            tf.gather(values, first, batch_dims=1)
            for values in (widths, heights, draws[2], draws[3])
        )
        return _cut(images, tf.minimum(width, 1.0), tf.minimum(height, 1.0), top, left)

    def _factors(self, number: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform(
            [3, number, 1, 1, 1], seed, 1.0 - self.jitter, 1.0 + self.jitter
        )


# Compiled, a dozen passes over the images become two. The draws stay outside: XLA has its own.
@tf.function(jit_compile=True, autograph=False)
def _recolor(images: tf.Tensor, factors: tf.Tensor | None, flipped: tf.Tensor | None) -> tf.Tensor:
    """Images as uint8, with brightness, contrast and saturation multiplied, and some flipped."""
    if factors is not None:
        images = tf.clip_by_value(factors[0] * images, 0.0, 255.0)
        mean = tf.reduce_mean(_gray(images), axis=[1, 2, 3], keepdims=True)
        images = _blend(mean, images, factors[1])
        if images.shape[-1] == 3:
            images = _blend(_gray(images), images, factors[2])
    if flipped is not None:
        images = tf.where(flipped, tf.reverse(images, axis=[2]), images)
    return tf.cast(tf.clip_by_value(tf.round(images), 0.0, 255.0), tf.uint8)


def _cut(
    images: tf.Tensor, width: tf.Tensor, height: tf.Tensor, top: tf.Tensor, left: tf.Tensor
) -> tf.Tensor:
    """Crops resized to the size of the images; `top` and `left` are shares of the free margin."""
    y, x = top * (1.0 - height), left * (1.0 - width)
    boxes = tf.stack([y, x, y + height, x + width], axis=-1)
    # Rounding must not push a corner outside, where the resize would paint it black.
    boxes = tf.clip_by_value(boxes, 0.0, 1.0)
    size = tf.shape(images)
    return tf.image.crop_and_resize(images, boxes, tf.range(size[0]), size[1:3])


def _blend(start: tf.Tensor, end: tf.Tensor, factor: tf.Tensor) -> tf.Tensor:
    return tf.clip_by_value(start + factor * (end - start), 0.0, 255.0)


def _gray(images: tf.Tensor) -> tf.Tensor:
    if images.shape[-1] != 3:
        return tf.reduce_mean(images, axis=-1, keepdims=True)
    return tf.tensordot(images, tf.constant(_GRAY_WEIGHTS)[:, tf.newaxis], axes=1)


def _check_range(name: str, bounds: tuple[float, float]) -> tuple[float, float]:
    if not isinstance(bounds, tuple | list) or not all(
        isinstance(bound, numbers.Real) and not isinstance(bound, bool) for bound in bounds
    ):
        raise TypeError(f"`{name}` must be a pair of numbers (low, high). Received: {bounds!r}")
    if len(bounds) != 2 or not 0 < bounds[0] <= bounds[1] < float("inf"):
        raise ValueError(f"`{name}` must be (low, high) with 0 < low <= high. Received: {bounds!r}")
    return float(bounds[0]), float(bounds[1])
