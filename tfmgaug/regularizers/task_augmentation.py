"""Augmentations of a whole task, which `MaxUp` draws from."""

from collections.abc import Callable

import keras
import tensorflow as tf

from tfmgaug.configured import Configured
from tfmgaug.episode import Episode
from tfmgaug.types import Learner


class TaskAugmentation(Configured):
    """Changes the images of a task, or mixes them with their labels.

    Subclasses register themselves with Keras, and keep their arguments as attributes.
    """

    mixes = False  # whether the targets of the queries come back as `Mixed`

    def __init__(self) -> None:
        pass  # `get_config` reads its arguments

    def __call__(self, episode: Episode, key: tf.Tensor) -> Episode:
        """Augments a task.

        Args:
            episode: `Episode` of one task, its images in 0-255.
            key: stateless key, `[2]`.

        Returns:
            An `Episode` of the same shapes and types.
        """
        raise NotImplementedError

    def check(self, learner: Learner) -> None:
        """Raises ValueError if this augmentation has no meaning for a learner's tasks."""


class _OnPart(TaskAugmentation):
    part: str

    def __init__(self, augment: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]) -> None:
        super().__init__()
        if not callable(augment) or not hasattr(augment, "get_config"):
            raise TypeError(
                "`augment` must be a function from images and a key to images, with a `get_config` "
                f"to be saved by. Received: {augment!r}."
            )
        self.augment = augment

    def __call__(self, episode: Episode, key: tf.Tensor) -> Episode:
        images = getattr(episode, self.part)
        return episode._replace(**{self.part: tf.cast(self.augment(images, key), images.dtype)})


@keras.saving.register_keras_serializable("tfmgaug")
class OnSupport(_OnPart):
    """Augments the images of the support set.

    Args:
        augment: function from images `[n, height, width, channels]` and a key to such images, that
            Keras can serialize: `RandomErase()`, `tfmgaug.data.Augment()`.

    Raises:
        TypeError: `augment` can't be called or saved.
    """

    part = "support_x"


@keras.saving.register_keras_serializable("tfmgaug")
class OnQuery(_OnPart):
    """Augments the images of the queries.

    Args:
        augment: as for `OnSupport`.

    Raises:
        TypeError: `augment` can't be called or saved.
    """

    part = "query_x"
