"""Rotation of the classes of a task by right angles."""

import keras
import tensorflow as tf

from tfmgaug.episode import Episode
from tfmgaug.randomness import uniform
from tfmgaug.regularizers.task_augmentation import TaskAugmentation
from tfmgaug.types import Learner


@keras.saving.register_keras_serializable("tfmgaug")
class RotateClasses(TaskAugmentation):
    """Turns some classes of a task by 90, 180 or 270 degrees, support and queries alike.

    Half of the classes stay upright, the others are turned by one of the three, equally often. A
    turned class keeps its label.

    Reference:
        Ni et al., Data Augmentation for Meta-Learning, 2021, https://arxiv.org/abs/2010.07092:
        task-level "large rotation".
    """

    def check(self, learner: Learner) -> None:
        height, width, _ = learner.image_shape
        if height != width:
            raise ValueError(
                "RotateClasses needs square images, which turned by 90 degrees have the same "
                f"shape. Received: images {height} x {width}."
            )
        if not learner.classification:
            raise ValueError("RotateClasses turns classes, which a regression has none of.")

    def __call__(self, episode: Episode, key: tf.Tensor) -> Episode:
        # By label, so that support and queries agree.
        turns = self.draw(tf.reduce_max(episode.support_y) + 1, key)
        return episode._replace(
            support_x=_turned(episode.support_x, tf.gather(turns, episode.support_y)),
            query_x=_turned(episode.query_x, tf.gather(turns, episode.query_y)),
        )

    def draw(self, classes: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Draws how far classes are turned; override it to give your own.

        Args:
            classes: int32 scalar, the number of classes.
            key: stateless key, `[2]`.

        Returns:
            The number of right angles, 0 to 3, of each class: int32 `[classes]`.
        """
        # 0 stands for half of the classes.
        return tf.gather([0, 0, 0, 1, 2, 3], tf.cast(6 * uniform([classes], key), tf.int32))


def _turned(images: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """Turns each image by a number of right angles; tf.image.rot90 asserts, which orders loops."""
    quarter = tf.reverse(tf.transpose(images, [0, 2, 1, 3]), [1])
    ways = [images, quarter, tf.reverse(images, [1, 2]), tf.reverse(quarter, [1, 2])]
    return tf.gather(tf.stack(ways, axis=1), turns, batch_dims=1)
