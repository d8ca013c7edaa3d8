"""Measures of inequality between non-negative numbers, as economics defines them.

All are zero where the numbers are equal, and none changes when all numbers are scaled alike. They
take a tensor `[n]` and return a scalar, both in the same precision, and can be differentiated.
"""

import tensorflow as tf


def theil(losses: tf.Tensor) -> tf.Tensor:
    """The Theil index, `mean(r log r)` with `r = l / mean(l)`."""
    ratios = losses / tf.reduce_mean(losses)
    return tf.reduce_mean(tf.math.xlogy(ratios, ratios))


def generalized_entropy(losses: tf.Tensor, alpha: float) -> tf.Tensor:
    """Generalized entropy, `mean(r^alpha - 1) / (alpha (alpha - 1))` with `r = l / mean(l)`.

    Args:
        losses: `[n]`, positive.
        alpha: float; higher ones watch the higher losses. 1 is the Theil index, 0 its counterpart
            `-mean(log r)`, 2 half the squared coefficient of variation.
    """
    if alpha == 1:
        return theil(losses)
    logarithms = tf.math.log(losses / tf.reduce_mean(losses))
    if alpha == 0:
        return -tf.reduce_mean(logarithms)
    return tf.reduce_mean(tf.math.expm1(alpha * logarithms)) / (alpha * (alpha - 1))


def atkinson(losses: tf.Tensor, epsilon: float) -> tf.Tensor:
    """The Atkinson index, `1 - mean(l^(1 - epsilon))^(1 / (1 - epsilon)) / mean(l)`.

    Args:
        losses: `[n]`, positive.
        epsilon: float > 0; higher ones watch the lower losses. 1 is `1 - geometric mean / mean`.
    """
    logarithms = tf.math.log(losses / tf.reduce_mean(losses))
    if epsilon == 1:
        return 1 - tf.exp(tf.reduce_mean(logarithms))
    power = 1 - epsilon
    # In logarithms: the powers of small losses would overflow.
    number = tf.cast(tf.size(losses), losses.dtype)
    total = tf.reduce_logsumexp(power * logarithms) - tf.math.log(number)
    return 1 - tf.exp(total / power)


def gini(losses: tf.Tensor) -> tf.Tensor:
    """The Gini coefficient, `mean_ij |l_i - l_j| / (2 mean(l))`.

    It has a kink where two losses are equal; neither is pushed from the other there.
    """
    differences = tf.abs(losses[:, None] - losses[None, :])
    return tf.reduce_mean(differences) / (2 * tf.reduce_mean(losses))


def variance_of_logs(losses: tf.Tensor) -> tf.Tensor:
    """The variance of the logarithms, `mean((log l - mean(log l))^2)`."""
    logarithms = tf.math.log(losses)
    return tf.reduce_mean((logarithms - tf.reduce_mean(logarithms)) ** 2)
