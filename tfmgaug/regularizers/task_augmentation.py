"""Augmentations of a whole task, which `MaxUp` draws from."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import keras
import tensorflow as tf

from tfmgaug.configured import Configured
from tfmgaug.episode import Episode
from tfmgaug.losses import Mixed
from tfmgaug.randomness import beta, fold, permutation, uniform
from tfmgaug.types import Learner


class TaskAugmentation(Configured):
    """Changes the images of a task, or mixes them with their labels.

    Subclasses register themselves with Keras, and keep their arguments as attributes.
    """

    mixes = False  # whether the targets of the queries come back as `Mixed`

    def __init__(self) -> None:
        pass  # whose arguments `get_config` asks for

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

    def get_config(self) -> dict[str, Any]:
        return {"augment": keras.saving.serialize_keras_object(self.augment)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        return cls(keras.saving.deserialize_keras_object(config["augment"]))


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


@keras.saving.register_keras_serializable("tfmgaug")
class RandomErase:
    """Paints a rectangle of some images over with their mean color.

    The rectangle's area is uniform and its aspect ratio log-uniform; where it is longer than the
    image, it is cut. The color is the mean over all images that are given: what zeros are where
    images are standardized first, as in the authors' code.

    Args:
        probability: float in [0, 1], that an image is changed.
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

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {
            "probability": self.probability,
            "area": self.area,
            "aspect_ratio": self.aspect_ratio,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the augmentation from `get_config`'s result."""
        return cls(**config)


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


def _inside(place: tf.Tensor, length: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Marks pixels of a stretch in a line: `[n, size]`, at a share of the free margin."""
    line = tf.cast(size, tf.float32)
    length = tf.minimum(tf.round(length), line)
    start = tf.floor(place * (line - length + 1))
    pixels = tf.range(line)
    return (pixels >= start[:, None]) & (pixels < (start + length)[:, None])


def _around(center: tf.Tensor, share: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Marks pixels of a stretch in a line: `[size]`, around a pixel, cut at the ends."""
    line = tf.cast(size, tf.float32)
    half, center = tf.floor(tf.floor(line * share) / 2), tf.floor(line * center)
    pixels = tf.range(line)
    return (pixels >= center - half) & (pixels < center + half)
