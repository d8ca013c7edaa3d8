"""Lists of tensors as vectors."""

import tensorflow as tf


def dot(left, right):
    """Returns the inner product of two lists of tensors of the same shapes, a float64 scalar."""
    parts = [tf.reduce_sum(a * b) for a, b in zip(left, right, strict=True)]
    return tf.add_n([tf.cast(part, tf.float64) for part in parts])


def norm(vector):
    """Returns the Euclidean norm of a list of tensors, a float64 scalar."""
    return tf.sqrt(dot(vector, vector))


def scaled(vector, factor):
    """Returns a list of tensors times a float64 scalar."""
    return [tf.cast(factor, part.dtype) * part for part in vector]


def unit(vector):
    """Returns a list of tensors divided by its norm; zero stays zero."""
    return scaled(vector, tf.math.divide_no_nan(tf.ones([], tf.float64), norm(vector)))
