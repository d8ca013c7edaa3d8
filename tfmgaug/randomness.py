"""Random draws that depend on a seed and their purpose alone.

`tf.random.stateless_*` ask the device which generator it prefers, which counts as a side
effect: a loop over tasks that asks runs one task at a time. So the generator is named here.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tfmgaug.types import Tensor

_PHILOX = 1
# The upper half of the generator's counter: folding and drawing never meet.
_FOLD, _DRAW = 0, 1


def key(seed: int) -> Tensor:
    """Starts a chain of stateless keys from an integer seed.

    Args:
        seed: integer.

    Returns:
        An int32 tensor of shape `[2]`.
    """
    return tf.constant([seed & 0x7FFFFFFF, 0x6D67], tf.int32)


def fold(parent: Tensor, *purposes: int | str | Tensor) -> Tensor:
    """Derives an independent key for each chain of purposes.

    Args:
        parent: key, `[2]`.
        *purposes: names, integers or integer tensors: the step, the episode, what is drawn.

    Returns:
        An int32 tensor of shape `[2]`.

    Example:
        >>> mask_key = fold(key(seed), step, episode.index, "mask", subnetwork)
    """
    for purpose in purposes:
        # Python's own hash of a string is salted per process.
        number = zlib.crc32(purpose.encode()) if isinstance(purpose, str) else purpose
        parent = tf.raw_ops.StatelessRandomUniformFullIntV2(
            shape=[2], **_keyed(parent, number, _FOLD), dtype=tf.int32
        )
    return parent


def uniform(
    shape: Sequence[int | Tensor] | Tensor, key: Tensor, dtype: tf.DType = tf.float32
) -> Tensor:
    """Draws uniformly from [0, 1).

    Args:
        shape: list of integers, or of integer tensors, or such a tensor, as `tf.shape(x)`.
        key: `[2]`, from `fold`.
        dtype: floating point type.

    Returns:
        A tensor of this shape.
    """
    return tf.raw_ops.StatelessRandomUniformV2(
        shape=_shape(shape), **_keyed(key, 0, _DRAW), dtype=dtype
    )


def whole_numbers(shape: Sequence[int | Tensor] | Tensor, key: Tensor) -> Tensor:
    """Draws integers uniformly from all those of 64 bits.

    Args:
        shape: list of integers, or of integer tensors, or such a tensor, as `tf.shape(x)`.
        key: `[2]`, from `fold`.

    Returns:
        An int64 tensor of this shape.
    """
    return tf.raw_ops.StatelessRandomUniformFullIntV2(
        shape=_shape(shape), **_keyed(key, 0, _DRAW), dtype=tf.int64
    )


def normal(
    shape: Sequence[int | Tensor] | Tensor, key: Tensor, dtype: tf.DType = tf.float32
) -> Tensor:
    """Draws from the standard normal distribution.

    Args:
        shape: list of integers, or of integer tensors, or such a tensor, as `tf.shape(x)`.
        key: `[2]`, from `fold`.
        dtype: floating point type.

    Returns:
        A tensor of this shape.
    """
    return tf.raw_ops.StatelessRandomNormalV2(
        shape=_shape(shape), **_keyed(key, 0, _DRAW), dtype=dtype
    )


def beta(concentration: tuple[float, float], key: Tensor) -> Tensor:
    """Draws from a Beta distribution.

    Args:
        concentration: (a, b), floats > 0. (c, c) is symmetric: uniform for c = 1, near 0 and 1
            for c < 1, near 1/2 for c > 1.
        key: `[2]`, from `fold`.

    Returns:
        A float32 scalar in [0, 1].
    """
    first, second = tf.unstack(
        tf.raw_ops.StatelessRandomGammaV3(
            shape=tf.constant([2], tf.int32),
            **_keyed(key, 0, _DRAW),
            alpha=tf.constant(concentration, tf.float32),
        )
    )
    return first / (first + second)


def permutation(number: int | Tensor, key: Tensor) -> Tensor:
    """Draws an order, each as likely as the others.

    Args:
        number: integer or int32 scalar, how many things are put in order.
        key: `[2]`, from `fold`.

    Returns:
        An int32 tensor `[number]`.
    """
    return tf.argsort(uniform([number], key))


def permutations(number: int, key: Tensor, first: int | Tensor, count: int | Tensor) -> Tensor:
    """Draws orders that have numbers: each depends on the key and its own number alone.

    Args:
        number: integer or int32 scalar, how many things are put in order.
        key: `[2]`, from `fold`.
        first: integer or int32 scalar, the number of the first order.
        count: integer or int32 scalar, how many orders.

    Returns:
        An int32 tensor `[count, number]`.
    """
    # The generator makes four floats at each place of its stream.
    places = -(-number // 4)
    draws = tf.raw_ops.StatelessRandomUniformV2(
        shape=tf.stack([count, 4 * places]), **_keyed(key, first * places, _DRAW), dtype=tf.float32
    )
    return tf.argsort(draws[:, :number])


def choose(values: Sequence[int], key: Tensor) -> Tensor:
    """Draws one of a list of numbers, each as likely as the others.

    Args:
        values: list of integers.
        key: `[2]`, from `fold`.

    Returns:
        An int32 scalar.
    """
    index = tf.raw_ops.StatelessRandomUniformIntV2(
        shape=tf.constant([], tf.int32), **_keyed(key, 0, _DRAW), minval=0, maxval=len(values)
    )
    return tf.gather(tf.constant(values, tf.int32), index)


def generator(seed: Tensor, counter: int | Tensor, purpose: int) -> dict[str, Any]:
    """Names the generator for one of TensorFlow's raw random operations.

    Args:
        seed: uint64 scalar tensor, Philox's key.
        counter: integer tensor, where to start in the stream.
        purpose: integer; different purposes are different streams.

    Returns:
        Keyword arguments of `tf.raw_ops.StatelessRandom...V2`.
    """
    return {
        "key": tf.reshape(seed, [1]),
        "counter": tf.stack([tf.cast(counter, tf.uint64), tf.constant(purpose, tf.uint64)]),
        "alg": _PHILOX,
    }


def _shape(shape):
    # A list may hold tensors, which `convert_to_tensor` packs.
    shape = shape if isinstance(shape, tf.Tensor) else list(shape)
    return tf.cast(tf.convert_to_tensor(shape, None if len(shape) else tf.int32), tf.int32)


def _keyed(key, counter, purpose):
    return generator(tf.bitcast(key, tf.uint64), counter, purpose)
