"""Named tensors as vectors."""

import tensorflow as tf

from tfmgaug.engine.params import Params


def dot(left: Params, right: Params) -> tf.Tensor:
    """Returns the inner product of tensors of the same names and shapes, a float64 scalar."""
    parts = [tf.reduce_sum(part * right[name]) for name, part in left.items()]
    return tf.add_n([tf.cast(part, tf.float64) for part in parts])


def norm(vector: Params) -> tf.Tensor:
    """Returns the Euclidean norm of named tensors, a float64 scalar."""
    return tf.sqrt(dot(vector, vector))


def minus(left: Params, right: Params) -> Params:
    """Returns the difference of tensors of the same names."""
    return {name: part - right[name] for name, part in left.items()}


def scaled(vector: Params, factor: tf.Tensor) -> Params:
    """Returns named tensors times a float64 scalar."""
    return {name: tf.cast(factor, part.dtype) * part for name, part in vector.items()}


def unit(vector: Params) -> Params:
    """Returns named tensors divided by their norm; zero stays zero."""
    return scaled(vector, tf.math.divide_no_nan(tf.ones([], tf.float64), norm(vector)))
