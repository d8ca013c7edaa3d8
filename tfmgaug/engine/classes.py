"""The classes that a task is about: those with support."""

import tensorflow as tf

from tfmgaug.engine.params import Params


def present(support_y: tf.Tensor, way: int | None) -> Params:
    """Notes which classes have support.

    Args:
        support_y: labels `[n]`.
        way: number of outputs; None: one more than the largest label.

    Returns:
        `{"classes": bool [way]}`, a part of a state.
    """
    way = tf.reduce_max(support_y) + 1 if way is None else way
    one_hot = tf.one_hot(support_y, way, on_value=True, off_value=False, dtype=tf.bool)
    return {"classes": tf.reduce_any(one_hot, axis=0)}


def masked(logits: tf.Tensor, state: Params) -> tf.Tensor:
    """Leaves classes without support out of a task: the only place where that happens.

    A masked logit gives a probability of zero and has no gradient, so that losses, accuracies and
    gradients are those of a network without these outputs.

    Args:
        logits: `[n, way]`, or values.
        state: with what `present` notes. A state that has seen no support set has no such note, and
            masks nothing.

    Returns:
        A tensor like `logits`.
    """
    classes = state.get("classes")
    return logits if classes is None else tf.where(classes, logits, logits.dtype.min)
