"""Few-shot episodes from images by class, each a pure function of a seed and an index."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.data.draws import TaskDraw, apart, distinct, padded_size, pick
from tfmgaug.data.enough import check_classes, check_enough
from tfmgaug.data.image_groups import tables
from tfmgaug.data.indexed import (
    check_integer,
    indexed_dataset,
    length,
    random_integers,
    random_uniform,
    single_episode,
    stateless_seed,
)
from tfmgaug.data.resolutions import checked_resolutions, reduced
from tfmgaug.data.rotated_classes import TURNS, RotatedClasses
from tfmgaug.data.shared_memory import as_tensor
from tfmgaug.data.transforms import ImageTransform, check_transform, sizes_of
from tfmgaug.episode import Episode

# Purposes that share a seed must not share its random numbers.
_GROUPS, _DRAWS, _SUPPORT, _QUERY, _IMAGES, _NEW_GROUPS, _NEW_CLASSES, _ROTATED, _RESOLUTION = (
    range(9)
)


class EpisodeSampler:
    """Draws few-shot tasks from images by class.

    An episode depends on the sampler's arguments and its own index alone: the same index gives
    the same episode whatever was drawn before, however many tasks a batch holds, on one device
    or on several. Classes and images are drawn without replacement, and no image is in both the
    support and the query set. Within an episode images are ordered by label. Where `classes` have
    groups of images, no group is in both sets: the support set is drawn as without groups, from
    those that leave enough queries, and the queries from what is left outside of its groups.

    With mutually exclusive tasks the drawn classes are labelled in random order, so that a class
    has no label of its own. Otherwise the classes are partitioned by the seed into `way` groups;
    a task takes one class of each group, and the group is the label: a learner can then memorize
    the labels instead of adapting to the support set. Only tasks of the classes that it was
    trained on, partitioned alike, show what it has memorized.

    The images are read batch by batch and may be memory-mapped and larger than memory. Arrays in
    memory are copied once if TensorFlow cannot share them; don't change them afterwards. The time
    of a draw grows with the number of classes and with the size of the largest class.

    Args:
        classes: images by class (`ImageClasses`).
        way: classes in a task, at least 2.
        shot: support images of each class, at least 1.
        query: query images of each class, at least 1.
        tasks: episodes in a batch.
        seed: integer from 0 to 2**63 - 1.
        mutually_exclusive: whether labels are shuffled in every task.
        transform: an `ImageTransform` such as `Augment()`, run on every image with draws of its
            own. Or a callable `(images, seed) -> images` run on the support and on the query set of
            each task: the images are `[images, height, width, channels]` uint8, and keep their
            shape; the seed is `[2]` int32 for `tfmgaug.randomness` (or for
            `tf.random.stateless_*`, which run one task after the other).
        task_augmentation: `RotatedClasses` or None. Photos that keep their aspect ratio are turned
            once they are cropped, other images before `transform`.
            Photos that keep their aspect ratio (`sizes` of the classes) need one that crops
            photos, `Augment(image_size=...)`.
        resolutions: sides in pixels, one of which is drawn for each batch; support and query
            images of its tasks are reduced to it (bilinear, corners aligned). The task axis stays,
            height and width are then unknown before a batch is there. None: as they are.
        partition_seed: of the groups of classes that are no mutually exclusive tasks; None takes
            `seed`. Tasks of two samplers with one partition give classes the same labels.

    Attributes:
        image_shape: height, width and channels of the images in an episode, before `resolutions`
            reduce them.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range, if there are fewer classes than `way`, if
            a class has fewer than `shot + query` images or too few outside of the groups that a
            support set may take, or if images have a shape that an argument can't deal with.

    Example:
    >>> episodes = EpisodeSampler(train, way=5, shot=1, query=15, tasks=4, seed=0)
    >>> learner.fit(episodes.dataset(), steps_per_epoch=25, epochs=10)
    >>> first = episodes.episode(0)
    """

    def __init__(
        self,
        classes: Any,
        way: int = 5,
        shot: int = 1,
        query: int = 15,
        tasks: int = 4,
        seed: int = 0,
        mutually_exclusive: bool = True,
        transform: Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None = None,
        task_augmentation: RotatedClasses | None = None,
        resolutions: Sequence[int] | None = None,
        partition_seed: int | None = None,
    ) -> None:
        check_classes(classes)
        self.classes = classes
        self.way = check_integer("way", way, minimum=2)
        self.shot = check_integer("shot", shot)
        self.query = check_integer("query", query)
        self.tasks = check_integer("tasks", tasks)
        self.seed = check_integer("seed", seed, minimum=0)
        if not isinstance(mutually_exclusive, bool | np.bool_):
            raise TypeError(
                f"`mutually_exclusive` must be True or False. Received: {mutually_exclusive!r}"
            )
        if transform is not None and not callable(transform):
            raise TypeError(
                "`transform` must be a callable (images, seed) -> images, or None. "
                f"Received: {transform!r} of type {type(transform).__name__}"
            )
        self.mutually_exclusive = bool(mutually_exclusive)
        self.transform = transform
        self.task_augmentation = task_augmentation
        if partition_seed is not None:
            partition_seed = check_integer("partition_seed", partition_seed, minimum=0)
        self.partition_seed = self.seed if partition_seed is None else partition_seed
        check_enough(classes, self.way, self.shot, self.query)
        check_transform(classes, transform)
        self._sizes = getattr(classes, "sizes", None)
        self.image_shape = self._check_shape()
        self.resolutions = checked_resolutions(resolutions, self.image_shape)
        number = len(classes.counts)
        self.groups = self._partition(number, _GROUPS)
        self._new_groups = self._partition(TURNS * number, _NEW_GROUPS)
        self._images, self._first_row = as_tensor(classes.images)

    def dataset(self, start: int = 0, episodes: int | None = None) -> tf.data.Dataset:
        """Batches of the episodes `start`, `start + 1`, ... in that order.

        Args:
            start: index of the first episode.
            episodes: how many episodes; endless if None. If it is not a multiple of `tasks`, the
                last batch is smaller, and the task axis of the batches is dynamic.

        Returns:
            A dataset of `(inputs, query_y)`. `inputs` is a dictionary of `support_x`
            `[tasks, way * shot, height, width, channels]` uint8, `support_y` `[tasks, way * shot]`
            int32, `query_x` `[tasks, way * query, height, width, channels]` uint8 and `index`
            `[tasks]` int64; `query_y` is `[tasks, way * query]` int32.

        Raises:
            TypeError: if an argument is not an integer.
            ValueError: if `start` is negative, or no multiple of `tasks` where `resolutions` are
                drawn for each batch, or `episodes` is not positive.
        """
        if self.resolutions and check_integer("start", start, minimum=0) % self.tasks:
            raise ValueError(
                "With `resolutions`, which tasks make a batch matters: `start` must be a multiple "
                f"of tasks={self.tasks}. Received: start={start}"
            )
        return indexed_dataset(self._batch, self.tasks, start, episodes)

    def episode(self, index: int) -> Episode:
        """One episode as numpy arrays, without a task axis.

        Args:
            index: index of the episode.

        Returns:
            The `Episode`, equal to the one that `dataset` yields for this index.
        """
        return single_episode(self._batch, index)

    def draw(self, index: tf.Tensor) -> TaskDraw:
        """Draws what tasks are made of; override it to give your own.

        Args:
            index: int64 `[tasks]`, consecutive indices of episodes.

        Returns:
            A `tfmgaug.data.draws.TaskDraw`.
        """
        counts = np.asarray(self.classes.counts, np.int32)
        padded = padded_size(self.groups)
        keys = random_integers(self.seed, _DRAWS, index, padded + self.way * counts.max())
        image_keys = tf.reshape(keys[:, padded:], [-1, self.way, counts.max()])
        picked = pick(self.groups, keys[:, :padded], self.way)
        if self.task_augmentation is not None:
            picked = self._with_new_classes(picked, index)
        turns, picked = picked // len(counts), picked % len(counts)
        return TaskDraw(picked, turns, self._distinct(image_keys, picked, counts))

    def draw_resolution(self, index: tf.Tensor) -> tf.Tensor:
        """Draws the side that a batch's images are reduced to; override it to give your own.

        Args:
            index: int64 `[tasks]`, consecutive indices of episodes.

        Returns:
            An int32 scalar, one of `resolutions`.
        """
        batch = index[:1] // self.tasks
        number = random_uniform(self.seed, _RESOLUTION, batch, 1)[0, 0] * len(self.resolutions)
        return tf.gather(tf.constant(self.resolutions), tf.cast(number, tf.int32))

    def _check_shape(self) -> tuple[int, int, int]:
        """The shape of an image once it is transformed."""
        shape = tuple(self.classes.images.shape[1:])
        turned = shape
        if isinstance(self.transform, ImageTransform):
            shape = tuple(self.transform.output_shape(shape))
        if self.task_augmentation is not None:
            self.task_augmentation.check_shape(turned if self._sizes is None else shape)
        return shape

    def _partition(self, number: int, purpose: int) -> list[np.ndarray]:
        """The groups of classes: a task takes equally many classes of each."""
        if self.mutually_exclusive:
            return [np.arange(number)]
        keys = random_integers(self.partition_seed, purpose, tf.zeros([1], tf.int64), number)
        return np.array_split(np.argsort(keys[0], kind="stable"), self.way)

    def _batch(self, index: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        drawn = self.draw(index)
        rows = self._rows(drawn)
        images = [tf.gather(self._images, self._first_row + part) for part in rows]
        if self._sizes is not None:  # photos, which a turn would move to another corner
            images = self._transformed(images, index, rows)
        if self.task_augmentation is not None:
            images = [self._rotated(part, drawn.turns) for part in images]
        if self.transform is not None and self._sizes is None:
            images = self._transformed(images, index, rows)
        if self.resolutions is not None:
            size = self.draw_resolution(index)
            images = [reduced(part, size) for part in images]
        inputs = {
            "support_x": images[0],
            "support_y": self._labels(index, self.shot),
            "query_x": images[1],
            "index": index,
        }
        return inputs, self._labels(index, self.query)

    def _distinct(self, keys: tf.Tensor, picked: tf.Tensor, counts: np.ndarray) -> tf.Tensor:
        """Which images of the picked classes: `[tasks, way, shot + query]` int32."""
        groups = getattr(self.classes, "groups", None)
        if groups is None:
            return distinct(keys, tf.gather(counts, picked), self.shot + self.query)
        of_class = [tf.gather(t, picked) for t in tables(groups, np.asarray(self.classes.offsets))]
        return apart(keys, *of_class, self.shot, self.query)  # type: ignore[call-arg]

    def _with_new_classes(self, picked: tf.Tensor, index: tf.Tensor) -> tf.Tensor:
        """Original classes `[tasks, way]`, some of them replaced by new ones."""
        keys = random_integers(self.seed, _NEW_CLASSES, index, padded_size(self._new_groups))
        new = len(self.classes.counts) + pick(self._new_groups, keys, self.way)
        probability = self.task_augmentation.probability_at(index)[:, tf.newaxis]
        return tf.where(
            random_uniform(self.seed, _ROTATED, index, self.way) < probability, new, picked
        )

    def _rows(self, drawn: TaskDraw) -> list[tf.Tensor]:
        """Where the images of the support and of the query sets are among all."""
        offsets = tf.constant(np.asarray(self.classes.offsets, np.int64))
        first = tf.gather(offsets, drawn.classes)[..., tf.newaxis]
        rows = first + tf.cast(drawn.images, tf.int64)
        parts = tf.split(rows, [self.shot, self.query], axis=-1)
        return [tf.reshape(part, [-1, self.way * part.shape[-1]]) for part in parts]

    def _rotated(self, images: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
        turns = tf.repeat(turns, images.shape[1] // self.way, axis=1)
        flat = tf.reshape(images, [-1, *images.shape[2:]])
        rotated = self.task_augmentation.rotate(flat, tf.reshape(turns, [-1]))
        return tf.reshape(rotated, [-1, *images.shape[1:]])

    def _transformed(
        self, images: list[tf.Tensor], index: tf.Tensor, rows: list[tf.Tensor]
    ) -> list[tf.Tensor]:
        if not isinstance(self.transform, ImageTransform):
            purposes = (_SUPPORT, _QUERY)
            return [self._by_task(part, index, p) for part, p in zip(images, purposes)]
        # All images of all tasks at once: the images of one are few, and small.
        counts = [part.shape[1] for part in images]
        number = sum(counts)
        draws = random_uniform(self.seed, _IMAGES, index, number * self.transform.draws)
        transformed = self.transform.apply(
            tf.reshape(tf.concat(images, axis=1), [-1, *self.classes.images.shape[1:]]),
            tf.reshape(draws, [-1, self.transform.draws]),
            *sizes_of(self._sizes, tf.concat(rows, axis=1)),
        )
        return tf.split(tf.reshape(transformed, [-1, number, *self.image_shape]), counts, axis=1)

    def _by_task(self, images: tf.Tensor, index: tf.Tensor, purpose: int) -> tf.Tensor:
        return tf.map_fn(
            lambda task: tf.ensure_shape(
                self.transform(task[0], stateless_seed(self.seed, purpose, task[1])),
                images.shape[1:],
            ),
            (images, index),
            fn_output_signature=images.dtype,
        )

    def _labels(self, index: tf.Tensor, images: int) -> tf.Tensor:
        labels = tf.constant(np.repeat(np.arange(self.way, dtype=np.int32), images))
        return tf.tile(labels[tf.newaxis], [length(index), 1])
