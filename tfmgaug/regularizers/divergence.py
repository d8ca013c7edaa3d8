"""The Kullback-Leibler divergence from the standard normal distribution."""

import tensorflow as tf


def from_standard_normal(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """Measures each entry in nats.

    `KL(N(mean, s^2) || N(0, 1)) = (mean^2 + s^2 - 1 - log s^2) / 2`.

    Args:
        mean: tensor.
        log_variance: tensor of the same shape, `log s^2`.

    Returns:
        A tensor of this shape, nowhere negative.
    """
    return (mean**2 + tf.exp(log_variance) - 1 - log_variance) / 2
