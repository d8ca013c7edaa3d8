"""A dense head with a kernel for each position of its feature maps."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug.types import Shape, Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class SpatialDense(keras.layers.Layer):
    """Flattens feature maps and multiplies them with a kernel that can be cropped in space.

    `y = sum_{hwc} x[h, w, c] * kernel[h, w, c] + bias`. Smaller feature maps, those of sub-networks
    at lower resolution, use the kernel's top left part: same positions, same meaning. (Cropping a
    flat kernel, as the MGAug release does, mixes positions.)

    Args:
        units: int, number of outputs.
        size: (height, width) of the kernel, the largest feature map.
        kernel_initializer: Keras initializer.
        bias_initializer: Keras initializer.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: a feature map is larger than `size`.

    Example:
        >>> SpatialDense(5, size=(7, 7))(tf.ones([2, 4, 4, 64])).shape
        TensorShape([2, 5])
    """

    def __init__(
        self,
        units: int,
        size: Sequence[int],
        kernel_initializer: str | keras.Initializer = "glorot_uniform",
        bias_initializer: str | keras.Initializer = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.size = units, tuple(size)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)

    def build(self, input_shape: Shape) -> None:
        channels = input_shape[-1]
        # Shaped flat while it is drawn: an initializer takes [h, w, c, units] for a convolution.
        flat = (self.size[0] * self.size[1] * channels, self.units)
        self.kernel = self.add_weight(
            shape=(*self.size, channels, self.units),
            initializer=lambda shape, dtype: tf.reshape(
                self.kernel_initializer(flat, dtype=dtype), shape
            ),
            name="kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units,), initializer=self.bias_initializer, name="bias"
        )

    def call(self, x: Tensor) -> Tensor:
        self._check_size(x.shape)
        height, width = tf.shape(x)[1], tf.shape(x)[2]
        kernel = tf.convert_to_tensor(self.kernel)[:height, :width]
        flat = height * width * x.shape[3]
        x = tf.reshape(x, [-1, flat])
        return x @ tf.reshape(kernel, [flat, self.units]) + tf.convert_to_tensor(self.bias)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        self._check_size(input_shape)
        return (input_shape[0], self.units)

    def _check_size(self, input_shape):
        for known, limit in zip(input_shape[1:3], self.size):
            if known is not None and not 1 <= known <= limit:
                raise ValueError(
                    f"{self.name} was made for feature maps of at most {self.size}, and at least "
                    f"(1, 1). Received: {tuple(input_shape[1:3])}; the images are too "
                    f"{'small' if known < 1 else 'large'}."
                )

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "size": self.size,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
