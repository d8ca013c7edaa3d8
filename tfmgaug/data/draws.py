"""Random draws of classes and images without replacement."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class TaskDraw(NamedTuple):
    """What `EpisodeSampler` draws for a batch of tasks.

    Attributes:
        classes: int32 `[tasks, way]`, the number of the class behind each label.
        turns: int32 `[tasks, way]`, quarter turns of each class, 0 to 3; only
            `task_augmentation` reads them.
        images: int32 `[tasks, way, shot + query]`, numbers of images within their class, those of
            the support set first.
    """

    classes: tf.Tensor
    turns: tf.Tensor
    images: tf.Tensor


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


def apart(
    keys: tf.Tensor, group_of: tf.Tensor, sizes: tf.Tensor, shot: int, query: int
) -> tf.Tensor:
    """Draws distinct integers in two parts that have no group in common.

    The integers are shuffled by their keys. The first part is the first of those whose groups,
    taken in the order in which they turn up, leave enough for the second, which is the first of
    what is in none of these groups. Without groups of several it is the draw of `distinct`.

    Args:
        keys: random int32, `[tasks, way, widest]`.
        group_of: int32, `[tasks, way, widest]`: the group of each integer, numbered from 0.
        sizes: int32, `[tasks, way, most groups]`: how many integers are of each group; those below
            their sum are drawn from. They suffice, see `enough.lacking`.
        shot: how many are in the first part.
        query: how many are in the second.

    Returns:
        The integers, `[tasks, way, shot + query]` int32.
    """
    counts = tf.reduce_sum(sizes, -1, keepdims=True)
    inside = tf.range(keys.shape[-1]) < counts
    # The least key is none's, so that no draw is mistaken for one that is left out.
    keys = tf.maximum(keys, tf.int32.min + 1)
    allowed = tf.gather(_that_leave(query, keys, inside, group_of, sizes), group_of, batch_dims=2)
    support = tf.math.top_k(tf.where(inside & allowed, keys, tf.int32.min), shot).indices
    taken = tf.gather(group_of, support, batch_dims=2)  # [tasks, way, shot]
    outside = tf.reduce_all(group_of[..., tf.newaxis] != taken[..., tf.newaxis, :], -1)
    queries = tf.math.top_k(tf.where(inside & outside, keys, tf.int32.min), query).indices
    return tf.concat([support, queries], -1)


def _that_leave(
    query: int, keys: tf.Tensor, inside: tf.Tensor, group_of: tf.Tensor, sizes: tf.Tensor
) -> tf.Tensor:
    """Whether each group is one of the first that together leave `query` integers."""
    shape = tf.shape(sizes)  # [tasks, way, groups]
    rows = tf.reshape(tf.range(shape[0] * shape[1]), [shape[0], shape[1], 1])
    first = tf.math.unsorted_segment_max(
        tf.where(inside, keys, tf.int32.min), rows * shape[2] + group_of, tf.reduce_prod(shape)
    )
    order = tf.argsort(tf.reshape(first, shape), direction="DESCENDING", stable=True)
    together = tf.cumsum(tf.gather(sizes, order, batch_dims=2), -1)
    leave = together <= tf.reduce_sum(sizes, -1, keepdims=True) - query
    return tf.gather(leave, tf.argsort(order), batch_dims=2)
