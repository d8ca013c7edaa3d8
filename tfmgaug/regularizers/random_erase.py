"""Random erasing: a rectangle of an image painted over."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfmgaug.configured import Configured
from tfmgaug.randomness import uniform


@keras.saving.register_keras_serializable("tfmgaug")
class RandomErase(Configured):
    """Paints a rectangle of some images over with their mean color.

    The rectangle's area is uniform and its aspect ratio log-uniform; where it is longer than the
    image, it is cut. The color is the mean over all images of the call, which is what
    zero stands for where images are standardized first, as in the authors' code.

    Args:
        probability: float in [0, 1], probability that an image is changed.
        area: (low, high), shares of the image's area.
        aspect_ratio: (low, high), width over height.

    Raises:
        ValueError: an argument is out of range.

    Reference:
        Zhong et al., Random Erasing Data Augmentation, 2020, https://arxiv.org/abs/1708.04896.
    """

    def __init__(
        self,
        probability: float = 0.5,
        area: Sequence[float] = (0.02, 0.4),
        aspect_ratio: Sequence[float] = (0.3, 1 / 0.3),
    ) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"`probability` must be from 0 to 1. Received: {probability}.")
        if not 0 < area[0] <= area[1] <= 1:
            raise ValueError(
                f"`area` must be (low, high) with 0 < low <= high <= 1. Received: {area}."
            )
        if not 0 < aspect_ratio[0] <= aspect_ratio[1]:
            raise ValueError(
                "`aspect_ratio` must be (low, high) with 0 < low <= high. "
                f"Received: {aspect_ratio}."
            )
        self.probability = probability
        self.area = list(area)
        self.aspect_ratio = list(aspect_ratio)

    def __call__(self, images: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Returns images like `[n, height, width, channels]`, erased in part."""
        number, height, width = (tf.shape(images)[axis] for axis in range(3))
        chosen, area, ratio, y, x = tf.unstack(self.draw(number, key))
        area = self.area[0] + (self.area[1] - self.area[0]) * area
        low, high = (math.log(bound) for bound in self.aspect_ratio)
        ratio = tf.exp(low + (high - low) * ratio)  # in pixels, so that it needs both sides
        pixels = area * tf.cast(height * width, tf.float32)
        rows = _inside(y, tf.sqrt(pixels / ratio), height)
        columns = _inside(x, tf.sqrt(pixels * ratio), width)
        erased = rows[:, :, None, None] & columns[:, None, :, None]
        erased &= chosen[:, None, None, None] < self.probability
        color = tf.reduce_mean(tf.cast(images, tf.float32), axis=[0, 1, 2])
        return tf.where(erased, tf.cast(color, images.dtype), images)

    def draw(self, number: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Draws what is erased; override it to give your own.

        Args:
            number: int32 scalar, of images.
            key: stateless key, `[2]`.

        Returns:
            Floats `[5, number]` in [0, 1): an image is changed where the first is below
            `probability`; where in their ranges the area and the logarithm of the aspect ratio are;
            and at which shares of the free margin the rectangle is, down and to the right.
        """
        return uniform([5, number], key)


def _inside(place: tf.Tensor, length: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Marks pixels of a stretch in a line: `[n, size]`, at a share of the free margin."""
    line = tf.cast(size, tf.float32)
    length = tf.minimum(tf.round(length), line)
    start = tf.floor(place * (line - length + 1))
    pixels = tf.range(line)
    return (pixels >= start[:, None]) & (pixels < (start + length)[:, None])
