"""Batch normalization whose second-order gradients are exact."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from tfmgaug.types import Shape, Tensor

_normalizes_by_batch: contextvars.ContextVar[bool | None] = contextvars.ContextVar(
    "normalizes_by_batch", default=None
)


@contextlib.contextmanager
def normalizing(by_batch: bool) -> Iterator[None]:
    """Sets which statistics batch normalization uses, whether layers train or not.

    Args:
        by_batch: True: those of the batch, which become the layer's state; False: those of the
            state. Outside this context the argument `training` decides.

    Example:
        >>> with normalizing(by_batch=True):
        ...     y = model(x, training=False)
    """
    token = _normalizes_by_batch.set(by_batch)
    try:
        yield
    finally:
        _normalizes_by_batch.reset(token)


@keras.saving.register_keras_serializable("tfmgaug")
class BatchNormalization(keras.layers.Layer):
    """Normalizes each channel over a batch, exactly also at second order.

    Training: `y = gamma * (x - mean(x)) / sqrt(var(x) + epsilon) + beta`, where `var` is biased,
    and the layer's state *becomes* `mean(x), var(x)`, differentiable in x. There is no momentum:
    the learner decides how statistics are averaged over batches, and which tasks see them.
    Inference: the same with the state in place of the batch's statistics. A learner chooses between
    the two by `normalizing`.

    `keras.layers.BatchNormalization` stops the gradient of the mean inside the variance on
    TensorFlow, and so is wrong in a differentiated inner loop.

    Args:
        epsilon: float > 0, added to the variance.
        center: bool, whether there is a beta.
        scale: bool, whether there is a gamma.
        axis: int, the axis of channels.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: `epsilon` is not positive.

    Example:
        >>> BatchNormalization()(tf.random.normal([8, 5, 5, 3]), training=True).shape
        TensorShape([8, 5, 5, 3])

    Reference:
        Ioffe and Szegedy, 2015, https://arxiv.org/abs/1502.03167, Algorithm 1.
    """

    def __init__(
        self,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        axis: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}.")
        self.epsilon = epsilon
        self.center, self.scale, self.axis = center, scale, axis

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) < 2 or self.axis % len(input_shape) == 0:
            raise ValueError(
                f"{self.name} expects inputs [batch, ..., channels], with channels on another axis "
                f"than the batch. Received: shape {tuple(input_shape)}, axis={self.axis}."
            )

        def weight(name, initializer, trainable=True):
            # Statistics stay in float32 under mixed precision.
            return self.add_weight(
                shape=(input_shape[self.axis],),
                initializer=initializer,
                trainable=trainable,
                name=name,
                autocast=False,
                aggregation="mean",
            )

        self.gamma = weight("gamma", "ones") if self.scale else None
        self.beta = weight("beta", "zeros") if self.center else None
        self.mean = weight("mean", "zeros", trainable=False)
        self.variance = weight("variance", "ones", trainable=False)

    def call(self, x: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        # Keras's normalization, which this one replaces in models, is called with `mask=None`.
        if mask is not None:
            raise ValueError(f"{self.name} does not take masks of time steps.")
        axis = self.axis % x.shape.rank
        if axis == x.shape.rank - 1:
            return self._normalized(x, training)
        last_axis = x.shape.rank - 1
        y = self._normalized(_moved(x, axis, last_axis), training)
        return _moved(y, last_axis, axis)

    def _normalized(self, x, training):
        gamma, beta = self._affine()
        if not self._by_batch(training):
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

    def _by_batch(self, training):
        by_batch = _normalizes_by_batch.get()
        return training if by_batch is None else by_batch

    def _affine(self):
        """Gamma and beta: ones and zeros where there are none."""
        mean = tf.convert_to_tensor(self.mean)
        gamma = tf.ones_like(mean) if self.gamma is None else tf.convert_to_tensor(self.gamma)
        beta = tf.zeros_like(mean) if self.beta is None else tf.convert_to_tensor(self.beta)
        return gamma, beta

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "axis": self.axis,
        }


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance per channel, with every gradient (`tf.nn.moments` stops one)."""
    axes = list(range(x.shape.rank - 1))
    mean = tf.reduce_mean(x, axes)
    return mean, tf.reduce_mean(tf.square(x - mean), axes)


def normalize(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    gamma: Tensor,
    beta: Tensor,
    epsilon: float,
) -> Tensor:
    """The plain form, in the precision of the statistics."""
    scale = gamma * tf.math.rsqrt(variance + epsilon)
    return tf.cast(tf.cast(x, scale.dtype) * scale + (beta - mean * scale), x.dtype)


def normalize_fused(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """The fused kernel, by batch statistics: about twice as fast as the plain form."""
    rank, image = x.shape.rank, x
    if rank == 2:
        image = x[:, None, None, :]
    elif rank != 4:
        image = tf.reshape(x, [tf.shape(x)[0], -1, 1, x.shape[-1]])
    y = tf.compat.v1.nn.fused_batch_norm(image, gamma, beta, epsilon=epsilon, is_training=True)[0]
    if rank == 2:
        return y[:, 0, 0, :]
    return y if rank == 4 else tf.reshape(y, tf.shape(x))


def _moved(x, source, target):
    """Moves an axis of a tensor to another place."""
    order = [axis for axis in range(x.shape.rank) if axis != source]
    return tf.transpose(x, [*order[:target], source, *order[target:]])
