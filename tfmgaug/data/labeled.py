"""Batches of labeled images of all classes, for ordinary supervised training."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.data.indexed import check_integer, indexed_dataset, random_uniform
from tfmgaug.data.shared_memory import as_tensor
from tfmgaug.data.transforms import ImageTransform, check_transform, sizes_of

_ORDER, _IMAGES = range(2)


class LabeledSampler:
    """Draws batches of images with the numbers of their classes, without tasks.

    The images come in a random order, all of them before any comes again, and then in another
    order. What stands at a place depends on nothing but the seed and the place, so that a training
    run that goes on at a place sees what it would have seen.

    Args:
        classes: images by class (`ImageClasses`).
        batch: images in a batch.
        seed: integer from 0 to 2**63 - 1.
        transform: an `ImageTransform` such as `Augment()`, run on every image, or None.

    Attributes:
        image_shape: height, width and channels.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range.

    Example:
    >>> images = LabeledSampler(train, batch=64)
    >>> FineTuning(backbone, classes=len(train)).fit(images.dataset(), steps_per_epoch=25)
    """

    def __init__(
        self,
        classes: Any,
        batch: int = 64,
        seed: int = 0,
        transform: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
    ) -> None:
        if transform is not None and not isinstance(transform, ImageTransform):
            raise TypeError(
                "`transform` must be an ImageTransform such as Augment(), or None. "
                f"Received: {transform!r}"
            )
        check_transform(classes, transform)
        self.classes = classes
        self.batch = check_integer("batch", batch)
        self.seed = check_integer("seed", seed, minimum=0)
        self.transform = transform
        shape = tuple(classes.images.shape[1:])
        self.image_shape = shape if transform is None else tuple(transform.output_shape(shape))
        self._images, self._first_row = as_tensor(classes.images)
        self._labels = np.repeat(np.arange(len(classes.counts), dtype=np.int32), classes.counts)

    def dataset(self, start: int = 0, images: int | None = None) -> tf.data.Dataset:
        """Batches of the images at the places `start`, `start + 1`, ... in that order.

        Args:
            start: the first place.
            images: how many; endless if None.

        Returns:
            A dataset of `(images, labels)`: `[batch, height, width, channels]` uint8, and `[batch]`
            int32 from 0 to the number of classes less one.

        Raises:
            TypeError: if an argument is not an integer.
            ValueError: if `start` is negative or `images` is not positive.
        """
        return indexed_dataset(self._batch, self.batch, start, images)

    def draw(self, place: tf.Tensor) -> tf.Tensor:
        """Draws which images stand at some places; override it to give your own.

        Args:
            place: int64 `[batch]`, consecutive places.

        Returns:
            The rows of `classes.images`, int64 `[batch]`.
        """
        number = tf.constant(len(self._labels), tf.int64)
        rounds = place // number
        seeds = tf.stack([tf.fill(tf.shape(place), tf.constant(self.seed, tf.int64)), rounds], 1)
        seeds = tf.pad(seeds, [[0, 0], [0, 1]], constant_values=_ORDER)
        # What tf.random.experimental.index_shuffle calls, which spoils vectors of seeds.
        return tf.raw_ops.RandomIndexShuffle(
            index=place % number, seed=seeds, max_index=number - 1, rounds=4
        )

    def _batch(self, place: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        rows = self.draw(place)
        images = tf.gather(self._images, rows + self._first_row)
        if self.transform is not None:
            draws = random_uniform(self.seed, _IMAGES, place, self.transform.draws)
            sizes = sizes_of(getattr(self.classes, "sizes", None), rows)
            images = self.transform.apply(images, draws, *sizes)
        images = tf.ensure_shape(images, [place.shape[0], *self.image_shape])
        return images, tf.gather(tf.constant(self._labels), rows)
