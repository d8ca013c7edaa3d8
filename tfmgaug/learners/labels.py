"""The check of labels, before any cast."""

import contextlib
import re
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

# Learners without a fixed way allocate as many columns as the largest label says.
MAX_CLASSES = 10_000

_ASSERTION = re.compile(r"assertion failed: ((?:\[[^\[\]]*\] ?)+)")


def checked(
    support_y: tf.Tensor, query_y: tf.Tensor, way: int | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Puts labels behind checks: at once where they are known, else when the graph runs.

    Args:
        support_y: integers, `[..., examples]`.
        query_y: integers, `[..., queries]`; None where they are not known.
        way: int, the number of outputs; None where the support set decides.

    Returns:
        The pair of both as they are, which carries the checks in a graph.

    Raises:
        ValueError: a label is out of range, or of a class without support.
    """
    support_y = in_range(support_y, way, "support_y")
    if query_y is None:
        return support_y, None
    query_y = in_range(query_y, way, "query_y")
    with tf.control_dependencies(_supported(support_y, query_y)):
        return tf.identity(support_y), tf.identity(query_y)


def in_range(labels: tf.Tensor, way: int | None, name: str) -> tf.Tensor:
    """Puts labels behind the check that they are from 0 to way - 1, as `checked`.

    Args:
        labels: integers of any shape.
        way: int; None where the support set decides.
        name: what errors call the labels.

    Returns:
        The labels as they are.

    Raises:
        ValueError: a label is out of range.
    """
    limit, wide = MAX_CLASSES if way is None else way, _as_int64(labels)
    low, high = tf.reduce_min(wide), tf.reduce_max(wide)
    checks = require(
        (low >= 0) & (high < limit),
        f"Expected labels from 0 to {limit - 1}. Received: labels from",
        low,
        "to",
        high,
        f"in {name}",
    )
    with tf.control_dependencies(checks):
        return tf.identity(labels)


def as_int32(labels: tf.Tensor) -> tf.Tensor:
    """Casts integers of any type; what doesn't fit becomes the largest or -1, and never wraps."""
    labels = tf.convert_to_tensor(labels)
    if labels.dtype.max > tf.int32.max:
        labels = tf.clip_by_value(_as_int64(labels), -1, tf.int32.max)
    return tf.cast(labels, tf.int32)


@contextlib.contextmanager
def in_plain_words() -> Iterator[None]:
    """Turns what a check says from within a graph into a `ValueError`."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        said = _ASSERTION.search(error.message)
        if said is None:
            raise
        raise ValueError(re.sub(r"[\[\]]", "", said[1]).strip() + ".") from None


def require(condition: tf.Tensor, *message: str) -> Any:
    """Requires something of values: at once where they are known, else when the graph runs.

    Args:
        condition: bool scalar.
        *message: strings without brackets, and scalars, that make a sentence without its period.

    Returns:
        A list of operations for `tf.control_dependencies`.

    Raises:
        ValueError: the condition is known to be false.
    """
    if not tf.executing_eagerly():
        return [tf.debugging.Assert(condition, list(message))]
    if not condition:
        said = (part if isinstance(part, str) else str(part.numpy()) for part in message)
        raise ValueError(" ".join(said) + ".")
    return []


def _as_int64(labels):
    labels = tf.convert_to_tensor(labels)
    if labels.dtype == tf.uint64:
        labels = tf.minimum(labels, tf.constant(tf.int64.max, tf.uint64))
    return tf.cast(labels, tf.int64)


def _supported(support_y, query_y):
    support, query = _as_int64(support_y), _as_int64(query_y)
    alone = ~tf.reduce_any(query[..., :, tf.newaxis] == support[..., tf.newaxis, :], axis=-1)
    return require(
        ~tf.reduce_any(alone),
        "Expected support examples of every class that is asked for: a class without any is no "
        "part of a task. Received: queries of class",
        tf.reduce_max(tf.where(alone, query, -1)),
        "without support",
    )
