"""Batch normalization whose second-order gradients are exact."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("tfmgaug")
class BatchNormalization(keras.layers.Layer):
    """Normalizes each channel over a batch, exactly also at second order.

    Training: `y = gamma * (x - mean(x)) / sqrt(var(x) + epsilon) + beta`, where `var` is biased,
    and the layer's state *becomes* `mean(x), var(x)`, differentiable in x. There is no momentum:
    who averages statistics over batches, and which tasks they leak to, is the learner's business.
    Inference: the same with the state in place of the batch's statistics.

    `keras.layers.BatchNormalization` stops the gradient of the mean inside the variance on
    TensorFlow, and so is wrong in a differentiated inner loop.

    Args:
        epsilon: float > 0, added to the variance.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: `epsilon` is not positive.

    Example:
        >>> BatchNormalization()(tf.random.normal([8, 5, 5, 3]), training=True).shape
        TensorShape([8, 5, 5, 3])

    Reference:
        Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167, Algorithm 1.
    """

    def __init__(self, epsilon=1e-3, **kwargs):
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}.")
        self.epsilon = epsilon

    def build(self, input_shape):
        if len(input_shape) not in (2, 4):
            raise ValueError(
                f"{self.name} expects inputs [batch, channels] or [batch, height, width, channels]."
                f" Received: shape {tuple(input_shape)}."
            )

        def weight(name, initializer, trainable=True):
            # Statistics stay in float32 under mixed precision.
            return self.add_weight(
                shape=(input_shape[-1],),
                initializer=initializer,
                trainable=trainable,
                name=name,
                autocast=False,
                aggregation="mean",
            )

        self.gamma, self.beta = weight("gamma", "ones"), weight("beta", "zeros")
        self.mean = weight("mean", "zeros", trainable=False)
        self.variance = weight("variance", "ones", trainable=False)

    def call(self, x, training=False, mask=None):
        # Keras's normalization, which this one replaces in models, is called with `mask=None`.
        if mask is not None:
            raise ValueError(f"{self.name} does not take masks of time steps.")
        gamma, beta = tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)
        if not training:
            mean, variance = tf.convert_to_tensor(self.mean), tf.convert_to_tensor(self.variance)
            return normalize(x, mean, variance, gamma, beta, self.epsilon)
        # The fused kernel's own statistics have no gradient and a Bessel factor. These plain ones
        # cost nothing where nobody reads them: the graph drops them.
        mean, variance = moments(tf.cast(x, gamma.dtype))
        self.mean.assign(mean)
        self.variance.assign(variance)
        if x.dtype == tf.float64:  # which the fused kernel lacks
            return normalize(x, mean, variance, gamma, beta, self.epsilon)
        return normalize_fused(x, gamma, beta, self.epsilon)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}


def moments(x):
    """Mean and biased variance per channel, with every gradient (`tf.nn.moments` stops one)."""
    axes = list(range(x.shape.rank - 1))
    mean = tf.reduce_mean(x, axes)
    return mean, tf.reduce_mean(tf.square(x - mean), axes)


def normalize(x, mean, variance, gamma, beta, epsilon):
    """The plain form, in the precision of the statistics."""
    scale = gamma * tf.math.rsqrt(variance + epsilon)
    return tf.cast(tf.cast(x, scale.dtype) * scale + (beta - mean * scale), x.dtype)


def normalize_fused(x, gamma, beta, epsilon):
    """The fused kernel, by batch statistics: about twice as fast as the plain form."""
    image = x if x.shape.rank == 4 else x[:, None, None, :]
    y = tf.compat.v1.nn.fused_batch_norm(image, gamma, beta, epsilon=epsilon, is_training=True)[0]
    return y if x.shape.rank == 4 else y[:, 0, 0, :]
