"""The base of samplers: batches of episodes by index, and keyed random numbers."""

import numbers
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfmgaug.episode import Episode
from tfmgaug.randomness import generator

_PHILOX_BLOCK = 4  # 32-bit numbers that one value of the Philox counter yields


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
        shape=tf.stack([length(index), counts * _PHILOX_BLOCK]),
        **generator(tf.constant(seed, tf.uint64), index[0] * counts, purpose),
        dtype=tf.int32,
    )
    return numbers_drawn[:, :number]


def random_uniform(seed: int, purpose: int, index: tf.Tensor, number: int) -> tf.Tensor:
    """Uniform numbers in [0, 1) for each of consecutive indices, see `random_integers`.

    Args:
        seed: integer seed.
        purpose: integer; different purposes give independent numbers.
        index: `[tasks]` int64, consecutive.
        number: how many numbers each index gets.

    Returns:
        `[tasks, number]` float32, multiples of 2**-24.
    """
    bits = tf.bitcast(random_integers(seed, purpose, index, number), tf.uint32)
    return tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.float32) / 2**24


def stateless_seed(seed: int, purpose: int, index: tf.Tensor) -> tf.Tensor:
    """A seed `[2]` int32 for stateless random operations that depends on all its arguments."""
    return random_integers(seed, purpose, tf.reshape(index, [1]), 2)[0]


def length(index: tf.Tensor) -> tf.Tensor | int:
    """How many indices a batch has, as a number where that is known."""
    return index.shape[0] or tf.shape(index)[0]


def check_integer(name: str, value: Any, minimum: int = 1) -> int:
    """The value as an int, if it is an integer of at least `minimum` that fits in 64 bits."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(
            f"`{name}` must be an integer. Received: {value!r} of type {type(value).__name__}"
        )
    if not minimum <= value < 2**63:  # type: ignore[operator]
        raise ValueError(
            f"`{name}` must be at least {minimum} and less than 2**63. Received: {name}={value}"
        )
    return int(value)
