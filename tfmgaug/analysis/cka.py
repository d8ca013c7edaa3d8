"""Centered kernel alignment: the similarity of two representations."""

import tensorflow as tf

from tfmgaug.types import ArrayLike, Tensor


def linear_cka(x: ArrayLike, y: ArrayLike) -> Tensor:
    """Compares two representations of the same examples.

    `CKA = <K, L> / sqrt(<K, K> <L, L>)` with the centered Gram matrices `K = X X'` and `L = Y Y'`,
    that is, `|Y' X|^2 / (|X' X| |Y' Y|)` for features that are centered over examples. It stays
    what it is when features are rotated, mirrored, or scaled all alike.

    Args:
        x: features of n examples, `[n, ...]`; positions count as features.
        y: other features of these examples, in the same order, `[n, ...]`.

    Returns:
        A float64 scalar in 0-1: 1 for representations that are alike, and exactly 1 for equal ones;
        NaN if features are the same for all examples.

    Example:
        >>> linear_cka(before, after)

    Reference:
        Kornblith et al., 2019, https://arxiv.org/abs/1905.00414, Section 3.
    """
    first, second = _gram(x), _gram(y)
    cross = tf.reduce_sum(first * second)
    first_norm, second_norm = tf.reduce_sum(first * first), tf.reduce_sum(second * second)
    # Not cross / sqrt(own * other), which TensorFlow rewrites with rsqrt: not 1 for equal ones.
    return tf.sqrt(cross / first_norm * (cross / second_norm))


def _gram(features):
    flat = tf.reshape(tf.cast(features, tf.float64), [tf.shape(features)[0], -1])
    centered = flat - tf.reduce_mean(flat, axis=0, keepdims=True)
    return tf.matmul(centered, centered, transpose_b=True)
