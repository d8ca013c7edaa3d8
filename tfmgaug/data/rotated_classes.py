"""Task augmentation by rotation: each rotated class is a new class."""

import numbers

import tensorflow as tf

from tfmgaug.data.indexed import check_integer

TURNS = 3  # by 90, 180 and 270 degrees


class RotatedClasses:
    """Adds classes to draw tasks from: those whose images are rotated.

    Of C classes, class `c` rotated by `r * 90` degrees counterclockwise is the new class
    `c + C * r`, r = 1, 2, 3. Each class of episode `i` is a new one with probability

        p(i) = probability * min(1, i / ramp),

    and an original one otherwise; all new classes are equally likely, all original ones too, and
    none occurs twice in a task. At the default every one of the 4 C classes is as likely as the
    others. Images are rotated as they are drawn: nothing more is held in memory.

    Args:
        probability: float in [0, 1], probability of a new class. The paper's code has 0.25 on
            mini-ImageNet and FC100, 0.5 on CIFAR-FS.
        ramp: episodes over which the probability rises from 0. 0: it does not. The paper's code
            has 80 000.

    Raises:
        TypeError: an argument has a wrong type.
        ValueError: an argument is out of range.

    Example:
    >>> EpisodeSampler(train, task_augmentation=RotatedClasses())

    Reference:
        Liu et al., Task Augmentation by Rotating for Meta-Learning (2020),
        https://arxiv.org/abs/2003.00804.
    """

    def __init__(self, probability: float = 0.75, ramp: int = 0) -> None:
        if not isinstance(probability, numbers.Real) or isinstance(probability, bool):
            raise TypeError(f"`probability` must be a number. Received: {probability!r}")
        if not 0 <= probability <= 1:
            raise ValueError(f"`probability` must be from 0 to 1. Received: {probability}")
        self.probability = float(probability)
        self.ramp = check_integer("ramp", ramp, minimum=0)

    def check_shape(self, image_shape: tuple[int, int, int]) -> None:
        """Refuses images that can't be rotated.

        Args:
            image_shape: height, width and channels.

        Raises:
            ValueError: the images are not square.
        """
        height, width, _ = image_shape
        if height != width:
            raise ValueError(
                "Rotated by 90 degrees, an image that is not square has another shape than the "
                f"others of its task. Received: {height} x {width}."
            )

    def probability_at(self, index: tf.Tensor) -> tf.Tensor:
        """How likely a class of an episode is a new one.

        Args:
            index: `[tasks]` int64, of the episodes.

        Returns:
            `[tasks]` float32.
        """
        if not self.ramp:
            return tf.fill(tf.shape(index), self.probability)
        share = tf.cast(tf.minimum(index, self.ramp), tf.float32) / self.ramp
        return self.probability * share

    def rotate(self, images: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
        """Images rotated counterclockwise, each by a multiple of 90 degrees of its own.

        Args:
            images: `[images, side, side, channels]`.
            turns: `[images]` integers from 0 to 3.

        Returns:
            Images of the same shape.
        """
        return _rotated(images, turns)


# Compiled, it takes a tenth of the time.
@tf.function(jit_compile=True, autograph=False)
def _rotated(images: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    turns = turns[:, tf.newaxis, tf.newaxis, tf.newaxis]
    images = tf.where(turns >= 2, tf.reverse(images, [1, 2]), images)
    quarter = tf.reverse(tf.transpose(images, [0, 2, 1, 3]), [1])
    return tf.where(turns % 2 == 1, quarter, images)
