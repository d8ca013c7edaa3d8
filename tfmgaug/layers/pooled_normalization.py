"""Batch normalization followed by max pooling, as one layer that is fast."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.layers.normalization import BatchNormalization
from tfmgaug.layers.pooled_moments import normalize_pooled, pooled_moments
from tfmgaug.types import Shape, Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class PooledBatchNormalization(BatchNormalization):
    """`BatchNormalization`, then max pooling of 2x2 windows, exact at second order.

    `y = gamma * (S x - mean(x)) / sqrt(var(x) + epsilon) + beta`, where S picks from each window
    the entry of the highest `gamma * x`: what pooling after normalization picks, found before it,
    so that only a quarter of the entries is ever normalized.

    Args:
        fused: bool. True takes the compiled passes of `pooled_moments` where shapes are known,
            three to four times as fast; False takes normalization and pooling one by one.
        padding: str, "valid" leaves a last odd row or column out of pooling, "same" gives it
            windows of its own.
        **kwargs: of `BatchNormalization`.

    Raises:
        ValueError: inputs are not images, or there is no such padding.

    Example:
        >>> PooledBatchNormalization()(tf.random.normal([8, 28, 28, 3]), training=True).shape
        TensorShape([8, 14, 14, 3])
    """

    def __init__(self, fused: bool = True, padding: str = "valid", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if padding not in ("valid", "same"):
            raise ValueError(f"`padding` must be 'valid' or 'same'. Received: {padding!r}.")
        self.fused, self.padding = fused, padding

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 4 or self.axis not in (-1, 3):
            raise ValueError(
                f"{self.name} expects inputs [batch, height, width, channels]. "
                f"Received: shape {tuple(input_shape)}, axis={self.axis}."
            )
        super().build(input_shape)

    def call(self, x: Tensor, training: bool = False, mask: Tensor | None = None) -> Tensor:
        if not (self._by_batch(training) and self.fused and x.shape.is_fully_defined()):
            return tf.nn.max_pool2d(super().call(x, training, mask), 2, 2, self.padding.upper())
        gamma, beta = self._affine()
        sign = tf.stop_gradient(tf.where(gamma < 0, -tf.ones_like(gamma), tf.ones_like(gamma)))
        pooled, mean, variance = pooled_moments(x, sign, self.padding == "same")
        self.mean.assign(mean)
        self.variance.assign(variance)
        return normalize_pooled(pooled, mean, gamma * tf.math.rsqrt(variance + self.epsilon), beta)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, *sides, channels = input_shape
        rest = 1 if self.padding == "same" else 0
        return (batch, *(side and (side + rest) // 2 for side in sides), channels)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "fused": self.fused, "padding": self.padding}
