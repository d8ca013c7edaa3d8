"""Draws without replacement, by random keys."""

import numpy as np
import tensorflow as tf


def padded_size(groups: list[np.ndarray]) -> int:
    """The number of random keys that `pick` takes for a task."""
    return len(groups) * max(map(len, groups))


def pick(groups: list[np.ndarray], keys: tf.Tensor, way: int) -> tf.Tensor:
    """Draws the classes of each task, equally many of each group.

    Args:
        groups: the classes of each group.
        keys: random int32, `[tasks, padded_size(groups)]`.
        way: number of classes of a task, a multiple of the number of groups.

    Returns:
        The classes, `[tasks, way]` int32.
    """
    sizes = np.array([len(group) for group in groups], np.int32)
    members = np.zeros([len(sizes), sizes.max()], np.int32)  # padded
    for row, group in zip(members, groups):
        row[: len(group)] = group
    class_keys = tf.reshape(keys, [-1, *members.shape])
    picks = distinct(class_keys, sizes, way // len(sizes))  # [tasks, groups, picks]
    picked = tf.gather(members, tf.transpose(picks, [1, 0, 2]), batch_dims=1)
    return tf.reshape(tf.transpose(picked, [1, 0, 2]), [-1, way])


def distinct(keys: tf.Tensor, sizes: tf.Tensor, number: int) -> tf.Tensor:
    """Draws distinct integers below a size, for each of several sizes.

    Ordering by random keys is a uniform shuffle: these are the first of it.

    Args:
        keys: random int32, `[..., widest]`.
        sizes: int32, `[...]`, each at most `widest` and at least `number`.
        number: how many are drawn below each size.

    Returns:
        The integers, `[..., number]` int32.
    """
    inside = tf.range(keys.shape[-1]) < tf.expand_dims(sizes, -1)
    return tf.math.top_k(tf.where(inside, keys, tf.int32.min), number).indices
