"""The per-example loss of a learner, and whether accuracy has a meaning under it."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

_NAMED = {
    "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "mean_squared_error": keras.losses.MeanSquaredError,
}


class Mixed(NamedTuple):
    """Targets of examples each of which was mixed from two.

    Attributes:
        first: labels `[n]`, values, or targets that are mixed themselves.
        second: likewise, of what was mixed in.
        share: scalar in [0, 1], that of the first.
    """

    first: Any
    second: Any
    share: Any


def get(loss):
    """Finds a loss by name, or checks one that is given.

    Args:
        loss: "cross_entropy", "mean_squared_error", or a `keras.losses.Loss`.

    Returns:
        A `keras.losses.Loss`.

    Raises:
        ValueError: the name is unknown, or a cross-entropy does not take logits.
        TypeError: it is neither.
    """
    if isinstance(loss, str):
        if loss not in _NAMED:
            raise ValueError(
                f"`loss` must be one of {sorted(_NAMED)} or a keras loss. Received: {loss!r}."
            )
        return _NAMED[loss]()
    if not isinstance(loss, keras.losses.Loss):
        raise TypeError(f"`loss` must be a name or a keras.losses.Loss. Received: {loss!r}.")
    if is_classification(loss) and not loss.get_config().get("from_logits"):
        raise ValueError(
            "The cross-entropy must be built with `from_logits=True`: backbones return logits. "
            "Received: from_logits=False."
        )
    return loss


def is_classification(loss):
    """Whether labels are integers, so that predictions have an accuracy."""
    return isinstance(loss, keras.losses.SparseCategoricalCrossentropy)


def per_example(loss, targets, outputs):
    """Measures each example, in the precision of the outputs (at least float32).

    Args:
        loss: `keras.losses.Loss`.
        targets: labels `[n]`, values `[n, outputs]`, or `Mixed`. Labels mix losses, which is the
            cross-entropy to the mixed distribution; values are mixed themselves.
        outputs: `[n, outputs]`.

    Returns:
        A tensor `[n]`.
    """
    if isinstance(targets, Mixed) and is_classification(loss):
        return _mix(targets, lambda labels: per_example(loss, labels, outputs))
    # Loss.call leaves the precision alone; Loss.__call__ would round float64 proofs to float32.
    return loss.call(_values(targets), outputs)


def hits(labels, logits):
    """Returns for each example whether its highest logit is that of the label: 1 or 0, `[n]`.

    Of mixed labels it returns the share of those that it hits.
    """
    if isinstance(labels, Mixed):
        return _mix(labels, lambda labels: hits(labels, logits))
    return tf.cast(tf.equal(tf.argmax(logits, -1, labels.dtype), labels), tf.float32)


def _values(targets):
    return _mix(targets, _values) if isinstance(targets, Mixed) else targets


def _mix(mixed, function):
    first, second = function(mixed.first), function(mixed.second)
    share = tf.cast(mixed.share, first.dtype)
    return share * first + (1 - share) * second


def at_least_float32(outputs):
    """Keeps losses out of bfloat16."""
    return tf.cast(outputs, tf.float32) if outputs.dtype.size < 4 else outputs
