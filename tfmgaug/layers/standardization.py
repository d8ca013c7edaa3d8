"""Standardization of raw images, the first layer of a backbone."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.types import Shape, Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class Standardization(keras.layers.Layer):
    """Standardizes raw images: `(x - mean) / standard_deviation`.

    It stands inside the backbone, so that data, `adapt`, and the exported model all take images as
    they come, in 0-255, and it remembers which image size the backbone was made for.

    Args:
        image_shape: (height, width, channels) that the backbone was made for.
        mean: float, in units of pixels (0-255).
        standard_deviation: float > 0, in units of pixels.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: `standard_deviation` is not positive, or images have other channels.

    Example:
        >>> Standardization((28, 28, 1), mean=10.0, standard_deviation=40.0)(images)
    """

    def __init__(
        self,
        image_shape: Shape,
        mean: float = 127.5,
        standard_deviation: float = 127.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not standard_deviation > 0:
            raise ValueError(
                "`standard_deviation` must be positive: there is nothing to learn if all images "
                "are equal."
                f" Received: standard_deviation={standard_deviation}."
            )
        self.image_shape = tuple(image_shape)
        self.mean, self.standard_deviation = float(mean), float(standard_deviation)

    def build(self, input_shape: Shape) -> None:
        if input_shape[-1] != self.image_shape[-1]:
            raise ValueError(
                f"Expected images with {self.image_shape[-1]} channels. "
                f"Received: shape {tuple(input_shape)}."
            )

    def call(self, x: Tensor) -> Tensor:
        return (tf.cast(x, self.compute_dtype) - self.mean) * (1.0 / self.standard_deviation)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "image_shape": self.image_shape,
            "mean": self.mean,
            "standard_deviation": self.standard_deviation,
        }
