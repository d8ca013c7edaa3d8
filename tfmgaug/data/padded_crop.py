"""Random crops of images that are padded, with color jitter and flips."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.data import recoloring
from tfmgaug.data.transforms import ImageTransform


@keras.saving.register_keras_serializable("tfmgaug")
class PaddedCrop(ImageTransform):
    """Shifts images over a black border, then jitters their colors and flips half of them.

    An image is padded by zeros on each side, and a crop of its own size is taken at a uniform
    place, as torchvision's `RandomCrop(size, padding)` does. Colors and flips are those of
    `Augment`. The defaults are MetaOptNet's, whose images have 84 x 84 pixels.

    Args:
        padding: pixels of border on each side, at least 0.
        jitter: half width of the range of the factors, from 0 (none) to 1.
        flip: whether half of the images are flipped horizontally.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range.

    Example:
    >>> episodes = EpisodeSampler(train, transform=PaddedCrop())

    Reference:
        Lee et al., Meta-Learning with Differentiable Convex Optimization (2019), the data
        augmentation of its code.
    """

    draws = 2 + recoloring.DRAWS

    def __init__(self, padding: int = 8, jitter: float = 0.4, flip: bool = True) -> None:
        if not isinstance(padding, int) or isinstance(padding, bool):
            raise TypeError(f"`padding` must be an integer. Received: {padding!r}")
        if padding < 0:
            raise ValueError(f"`padding` must be at least 0. Received: padding={padding}")
        recoloring.check(jitter, flip)
        self.padding = padding
        self.jitter = float(jitter)
        self.flip = flip

    def apply(self, images: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        place, colors = tf.split(draws, [2, recoloring.DRAWS], axis=1)
        border = [self.padding, self.padding]
        padded = tf.pad(images, [[0, 0], border, border, [0, 0]])
        start = tf.cast(tf.floor(place * (2 * self.padding + 1)), tf.int32)
        for axis in (1, 2):
            index = start[:, axis - 1 : axis] + tf.range(images.shape[axis])
            padded = tf.gather(padded, index, axis=axis, batch_dims=1)
        shifted = recoloring.recolored(padded, colors, self.jitter, self.flip)
        return tf.ensure_shape(shifted, [None, *images.shape[1:]])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {"padding": self.padding, "jitter": self.jitter, "flip": self.flip}
