"""CutMix: a rectangle of one query pasted into another."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tfmgaug.episode import Episode
from tfmgaug.losses import Mixed
from tfmgaug.randomness import beta, fold, permutation, uniform
from tfmgaug.regularizers.task_augmentation import TaskAugmentation


class Cut(NamedTuple):
    """What `CutMix` draws for a task.

    Attributes:
        partners: int32 `[queries]`, the number of the query that each takes the rectangle from.
        share: float32 scalar, lambda: the rectangle has `1 - lambda` of the image's area.
        center: pair of float32 scalars in [0, 1), the shares of height and width where the
            rectangle's center is.
    """

    partners: tf.Tensor
    share: tf.Tensor
    center: Sequence[tf.Tensor]


@keras.saving.register_keras_serializable("tfmgaug")
class CutMix(TaskAugmentation):
    """Pastes a rectangle of one query into another, and mixes their labels by area.

    One rectangle for all queries of a task, of the image's shape, centered anywhere, cut at the
    border, with an area of `1 - lambda` before that. Each query takes it from its successor in a
    random permutation of the queries.

    Args:
        concentration: float > 0, both parameters of lambda's Beta distribution.

    Raises:
        ValueError: `concentration` is not positive.

    Reference:
        Yun et al., CutMix, 2019, https://arxiv.org/abs/1905.04899, Eq. 1.
    """

    mixes = True

    def __init__(self, concentration: float = 2.0) -> None:
        super().__init__()
        if not concentration > 0:
            raise ValueError(f"`concentration` must be positive. Received: {concentration}.")
        self.concentration = concentration

    def __call__(self, episode: Episode, key: tf.Tensor) -> Episode:
        images = episode.query_x
        partners, share, (y, x) = self.draw(episode, key)
        height, width = (tf.shape(images)[axis] for axis in (1, 2))
        side = tf.sqrt(1 - share)
        pasted = _around(y, side, height)[:, None, None] & _around(x, side, width)[:, None]
        return episode._replace(
            query_x=tf.where(pasted, tf.gather(images, partners), images),
            query_y=Mixed(
                episode.query_y,
                tf.gather(episode.query_y, partners),
                1 - tf.reduce_mean(tf.cast(pasted, tf.float32)),
            ),
        )

    def draw(self, episode: Episode, key: tf.Tensor) -> Cut:
        """Draws what is pasted where; override it to give your own.

        Args:
            episode: `Episode` of one task.
            key: stateless key, `[2]`.

        Returns:
            A `Cut`.
        """
        return Cut(
            partners=permutation(tf.shape(episode.query_x)[0], fold(key, "partners")),
            share=beta((self.concentration,) * 2, fold(key, "area")),
            center=tf.unstack(uniform([2], fold(key, "center"))),
        )


def _around(center: tf.Tensor, share: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Marks pixels of a stretch in a line: `[size]`, around a pixel, cut at the ends."""
    line = tf.cast(size, tf.float32)
    half, center = tf.floor(tf.floor(line * share) / 2), tf.floor(line * center)
    pixels = tf.range(line)
    return (pixels >= center - half) & (pixels < center + half)
