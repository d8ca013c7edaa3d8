"""The per-example loss of a learner, and whether accuracy has a meaning under it."""

import keras
import tensorflow as tf

_NAMED = {
    "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "mean_squared_error": keras.losses.MeanSquaredError,
}


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


def mean_loss(loss, targets, outputs):
    """Averages the loss over examples, in the precision of the outputs (at least float32)."""
    # Loss.call leaves the precision alone; Loss.__call__ would round float64 proofs to float32.
    return tf.reduce_mean(loss.call(targets, outputs))


def accuracy(labels, logits):
    """Returns the share of examples whose highest logit is that of the label."""
    hits = tf.equal(tf.argmax(logits, -1, labels.dtype), labels)
    return tf.reduce_mean(tf.cast(hits, tf.float32))


def at_least_float32(outputs):
    """Keeps losses out of bfloat16."""
    return tf.cast(outputs, tf.float32) if outputs.dtype.size < 4 else outputs
