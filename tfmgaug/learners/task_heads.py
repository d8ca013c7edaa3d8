"""New heads of tasks, drawn from what a task's support set holds."""

import math

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params, by_name
from tfmgaug.randomness import fold, key, uniform, whole_numbers

CHOICES = ("per_task", "shared")


def checked(choice: str, classifier: keras.Layer) -> str:
    """Returns the choice of heads, if a classifier can be replaced so.

    Args:
        choice: "per_task" or "shared".
        classifier: the layer in whose place a head of a task is.

    Raises:
        ValueError: there is no such choice, or the classifier is frozen.
    """
    if choice not in CHOICES:
        raise ValueError(f"`task_head` must be one of {CHOICES}. Received: {choice!r}.")
    if choice == "per_task" and not classifier.trainable_variables:
        raise ValueError(
            "A head of each task's own takes the place of a layer that adapts: thaw it, or use "
            f"task_head='shared'. Received: a frozen layer {classifier.name!r}."
        )
    return choice


def drawn_head(classifier: keras.Layer, task_key: tf.Tensor) -> Params:
    """Draws a head: its kernel Glorot-uniform ("Xavier"), its biases zero.

    Args:
        classifier: the layer in whose place it is.
        task_key: stateless key, `[2]`.

    Returns:
        Tensors by the names of the layer's weights.
    """
    head = {}
    for name, variable in by_name(classifier.trainable_variables).items():
        if variable is classifier.kernel:
            drawn = _glorot_uniform(variable, task_key)
        else:
            drawn = tf.zeros(variable.shape, variable.dtype)
        # Plus zero: who differentiates in the layer's weights does so in these, in their place.
        weight = tf.convert_to_tensor(variable)
        head[name] = drawn + (weight - tf.stop_gradient(weight))
    return head


def flat_shape(kernel: keras.Variable) -> tuple[int, int]:
    """Returns the numbers of inputs and outputs of a kernel, which are its fans.

    A kernel with positions is flat here, as what is multiplied: an initializer would take the fans
    of a convolution.
    """
    return math.prod(kernel.shape[:-1]), kernel.shape[-1]


def _glorot_uniform(kernel, task_key):
    limit = (6 / sum(flat_shape(kernel))) ** 0.5
    # In float32 for every type of weights, which then differ by rounding alone.
    drawn = limit * (2 * uniform(kernel.shape, task_key) - 1)
    return tf.cast(drawn, kernel.dtype)


def support_digest(support_x: tf.Tensor, support_y: tf.Tensor) -> tf.Tensor:
    """Condenses a support set into a number: the same one wherever and however it is computed.

    Two sets of the same examples and labels have the same digest, in any order and as integers or
    as floats of the same value. Integers are added up modulo 2^64, so that no device rounds. Other
    sets have others but for one chance in 2^33 or less: each row of bits is weighted with fixed
    random numbers, and so are the sorted results.

    Args:
        support_x: `[n, ...]` as the network sees them.
        support_y: labels `[n]`.

    Returns:
        An int64 scalar.
    """
    values = tf.cast(tf.reshape(support_x, [tf.shape(support_x)[0], -1]), tf.float32)
    bits = tf.cast(tf.bitcast(values, tf.int32), tf.int64)
    rows = tf.concat([bits, tf.cast(support_y, tf.int64)[:, tf.newaxis]], axis=1)
    return _weighted(tf.sort(_weighted(rows, "values")), "rows")


def _weighted(numbers, purpose):
    weights = whole_numbers([tf.shape(numbers)[-1]], fold(key(0), "digest", purpose))
    return tf.reduce_sum(numbers * weights, axis=-1)
