"""Few-shot episodes from images by class, each a pure function of a seed and an index."""

import numbers
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.episode import Episode
from tfmgaug.randomness import generator

# Purposes that share a seed must not share its random numbers.
_GROUPS, _DRAWS, _SUPPORT, _QUERY = range(4)
_PHILOX_BLOCK = 4  # 32-bit numbers that one value of the Philox counter yields
_ALIGNMENT = 64  # bytes; TensorFlow aborts on tensors of a lower alignment than its build's


class EpisodeSampler:
    """Draws few-shot tasks from images by class.

    An episode depends on the sampler's arguments and its own index alone: the same index gives
    the same episode whatever was drawn before, however many tasks a batch holds, on one device
    or on several. Classes and images are drawn without replacement, and no image is in both the
    support and the query set. Within an episode images are ordered by label.

    With mutually exclusive tasks the drawn classes are labelled in random order, so that a class
    has no label of its own. Otherwise the classes are partitioned by the seed into `way` groups;
    a task takes one class of each group, and the group is the label: a learner can then memorize
    the labels instead of adapting to the support set.

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
        transform: callable `(images, seed) -> images` run on the support and on the query set of
            each task, for example `Augment()`. The images are `[images, height, width, channels]`
            uint8, the seed `[2]` int32 to be used with `tf.random.stateless_*`.

    Raises:
        TypeError: if an argument has a wrong type.
        ValueError: if an argument is out of range, if there are fewer classes than `way`, or if
            a class has fewer than `shot + query` images.

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
    ):
        _check_classes(classes)
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
        _check_enough(classes, self.way, self.shot, self.query)
        self.groups = self._partition()
        self._images, self._first_row = _as_tensor(classes.images)

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
            ValueError: if `start` is negative or `episodes` is not positive.
        """
        return indexed_dataset(self._batch, self.tasks, start, episodes)

    def episode(self, index: int) -> Episode:
        """One episode as numpy arrays, without a task axis.

        Args:
            index: index of the episode.

        Returns:
            The `Episode`, equal to the one that `dataset` yields for this index.
        """
        return single_episode(self._batch, index)

    def _partition(self) -> list[np.ndarray]:
        """The groups of classes: a task takes equally many classes of each."""
        number = len(self.classes.counts)
        if self.mutually_exclusive:
            return [np.arange(number)]
        keys = random_integers(self.seed, _GROUPS, tf.zeros([1], tf.int64), number)
        return np.array_split(np.argsort(keys[0], kind="stable"), self.way)

    def _batch(self, index: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        rows = self._draw(index)  # [tasks, way, shot + query]
        support_x, query_x = self._read(rows)
        if self.transform is not None:
            support_x = self._transform(support_x, index, _SUPPORT)
            query_x = self._transform(query_x, index, _QUERY)
        inputs = {
            "support_x": support_x,
            "support_y": self._labels(index, self.shot),
            "query_x": query_x,
            "index": index,
        }
        return inputs, self._labels(index, self.query)

    def _draw(self, index: tf.Tensor) -> tf.Tensor:
        """The rows of `classes.images` in each task, `[tasks, way, shot + query]` int64."""
        counts = np.asarray(self.classes.counts, np.int32)
        offsets = tf.constant(np.asarray(self.classes.offsets, np.int64))
        sizes = np.array([len(group) for group in self.groups], np.int32)
        members = np.zeros([len(sizes), sizes.max()], np.int32)  # padded
        for row, group in zip(members, self.groups):
            row[: len(group)] = group
        keys = random_integers(self.seed, _DRAWS, index, members.size + self.way * counts.max())
        class_keys = tf.reshape(keys[:, : members.size], [-1, *members.shape])
        image_keys = tf.reshape(keys[:, members.size :], [-1, self.way, counts.max()])

        picks = _distinct(class_keys, sizes, self.way // len(sizes))  # [tasks, groups, picks]
        picked = tf.gather(members, tf.transpose(picks, [1, 0, 2]), batch_dims=1)
        picked = tf.reshape(tf.transpose(picked, [1, 0, 2]), [-1, self.way])
        images = _distinct(image_keys, tf.gather(counts, picked), self.shot + self.query)
        return tf.gather(offsets, picked)[..., tf.newaxis] + tf.cast(images, tf.int64)

    def _read(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        def read(rows, images):
            flat = tf.reshape(rows, [-1, self.way * images])
            return tf.gather(self._images, flat + self._first_row)

        return read(rows[..., : self.shot], self.shot), read(rows[..., self.shot :], self.query)

    def _transform(self, images: tf.Tensor, index: tf.Tensor, purpose: int) -> tf.Tensor:
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
        return tf.tile(labels[tf.newaxis], [_length(index), 1])


def indexed_dataset(
    batch: Callable[[tf.Tensor], Any], tasks: int, start: int, episodes: int | None
) -> tf.data.Dataset:
    """A dataset of `batch(index)` over consecutive episode indices, `tasks` at a time.

    Args:
        batch: callable from indices `[tasks]` int64 to a batch of tasks.
        tasks: episodes in a batch.
        start: index of the first episode.
        episodes: how many episodes; endless if None.

    Returns:
        The dataset, in order, prefetched, and never sharded over workers: each draws the same
        episodes, and takes its own share of every batch.
    """
    start = check_integer("start", start, minimum=0)
    if episodes is None:
        first = tf.data.Dataset.counter(start, tasks)
    else:
        stop = start + check_integer("episodes", episodes)
        first = tf.data.Dataset.range(start, stop, tasks)
    if episodes is None or episodes % tasks == 0:

        def indices(first):
            return first + tf.range(tasks, dtype=tf.int64)
    else:

        def indices(first):
            return tf.range(first, tf.minimum(first + tasks, stop))

    batches = first.map(
        lambda first: batch(indices(first)), num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
    )
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    # Rewriting the graph reads every captured tensor, that is, whole memory-mapped files.
    options.experimental_optimization.apply_default_optimizations = False
    return batches.prefetch(tf.data.AUTOTUNE).with_options(options)


def single_episode(batch: Callable[[tf.Tensor], Any], index: int) -> Episode:
    """The episode `batch([index])` as numpy arrays, without a task axis.

    Args:
        batch: callable from indices `[1]` int64 to a batch of one task.
        index: index of the episode.

    Returns:
        The `Episode`.
    """
    index = check_integer("index", index, minimum=0)
    inputs, query_y = batch(tf.constant([index], tf.int64))
    first = {name: value[0].numpy() for name, value in inputs.items()}
    return Episode(query_y=query_y[0].numpy(), **first)


def random_integers(seed: int, purpose: int, index: tf.Tensor, number: int) -> tf.Tensor:
    """Uniform 32-bit integers for each of consecutive indices, in a single operation.

    `tf.random.stateless_*` take one seed a call. Philox counts instead: index i owns the i-th
    stretch of its output, so that a batch of consecutive indices is one stretch too.

    Args:
        seed: integer seed.
        purpose: integer; different purposes give independent numbers.
        index: `[tasks]` int64, consecutive.
        number: how many numbers each index gets.

    Returns:
        `[tasks, number]` int32.
    """
    counts = -(-int(number) // _PHILOX_BLOCK)
    numbers_drawn = tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=tf.stack([_length(index), counts * _PHILOX_BLOCK]),
        **generator(tf.constant(seed, tf.uint64), index[0] * counts, purpose),
        dtype=tf.int32,
    )
    return numbers_drawn[:, :number]


def stateless_seed(seed: int, purpose: int, index: tf.Tensor) -> tf.Tensor:
    """A seed `[2]` int32 for `tf.random.stateless_*` that depends on all its arguments."""
    return random_integers(seed, purpose, tf.reshape(index, [1]), 2)[0]


def check_integer(name: str, value: Any, minimum: int = 1) -> int:
    """The value as an int, if it is an integer of at least `minimum` that fits in 64 bits."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(
            f"`{name}` must be an integer. Received: {value!r} of type {type(value).__name__}"
        )
    if not minimum <= value < 2**63:
        raise ValueError(
            f"`{name}` must be at least {minimum} and less than 2**63. Received: {name}={value}"
        )
    return int(value)


def _distinct(keys: tf.Tensor, sizes: tf.Tensor, number: int) -> tf.Tensor:
    """The first `number` of a random order of range(size), for each size of the last axis.

    Ordering by random keys is a uniform shuffle: `keys` `[..., widest]`, `sizes` `[...]`.
    """
    inside = tf.range(keys.shape[-1]) < tf.expand_dims(sizes, -1)
    return tf.math.top_k(tf.where(inside, keys, tf.int32.min), number).indices


def _as_tensor(images: np.ndarray) -> tuple[tf.Tensor, int]:
    """The images as a tensor, and the row in it of the first one.

    `tf.convert_to_tensor` would read a memory-mapped file into memory, and `tf.numpy_function`
    makes the interpreter hang when it exits while a dataset is being iterated. So the tensor
    shares the array's memory, by DLPack, where TensorFlow's alignment allows it.
    """
    whole, first_row = images, 0
    base = images.base
    if isinstance(base, np.ndarray) and _is_rows_of(images, base):
        whole = base  # a slice may start anywhere, the whole is aligned
        first_row = (images.ctypes.data - base.ctypes.data) // base.strides[0]
    if not whole.flags.c_contiguous or whole.ctypes.data % _ALIGNMENT:
        return tf.constant(images), 0
    return tf.experimental.dlpack.from_dlpack(np.asarray(_Shared(whole)).__dlpack__()), first_row


def _is_rows_of(images: np.ndarray, base: np.ndarray) -> bool:
    alike = all(
        getattr(images, name) == getattr(base, name) for name in ("dtype", "strides", "ndim")
    )
    return alike and base.shape[1:] == images.shape[1:]


class _Shared:
    """An array that claims to be writable, as DLPack demands of it. Nothing writes to it."""

    def __init__(self, array: np.ndarray):
        self.array = array
        address = (array.ctypes.data, False)
        self.__array_interface__ = {**array.__array_interface__, "data": address}


def _length(index: tf.Tensor) -> tf.Tensor | int:
    return index.shape[0] or tf.shape(index)[0]


def _check_classes(classes: Any) -> None:
    for attribute in ("images", "offsets", "counts", "class_names", "name"):
        if not hasattr(classes, attribute):
            raise TypeError(
                "`classes` must be images by class (`tfmgaug.data.ImageClasses`, as "
                "`tfmgaug.data.load` or `from_arrays` return them). "
                f"Received: an object of type {type(classes).__name__}"
            )


def _check_enough(classes: Any, way: int, shot: int, query: int) -> None:
    counts = np.asarray(classes.counts)
    if len(counts) < way:
        raise ValueError(
            f"Expected at least way={way} classes in {classes.name!r}. Received: {len(counts)}"
        )
    short = np.flatnonzero(counts < shot + query)
    if len(short):
        worst = short[np.argmin(counts[short])]
        raise ValueError(
            f"Expected at least {shot + query} images (shot={shot} + query={query}) in every "
            f"class of {classes.name!r}. Received: {counts[worst]} in class "
            f"{classes.class_names[worst]!r} ({len(short)} of {len(counts)} classes have too few)"
        )
