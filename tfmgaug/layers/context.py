"""The context of a task: a vector that adapts where all weights stay."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.types import Shape, Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class Context(keras.layers.Layer):
    """Gives every example of a batch the same vector, which starts at zero.

    `y_i = phi`, whatever `x_i` is. The vector is a weight like any other, so that whatever calls a
    backbone with adapted weights calls it with the adapted context too. `CAVIA` adapts it and
    nothing else, and starts it at zero for each task; other learners learn it as they do biases.

    Args:
        size: int >= 1, entries of the vector.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: `size` is out of range.

    Example:
        >>> x = keras.layers.Concatenate()([x, Context(5)(x)])

    Reference:
        Zintgraf et al., CAVIA, 2019, https://arxiv.org/abs/1810.03642, Section 3.
    """

    def __init__(self, size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"`size` must be at least 1. Received: size={size}.")
        self.size = size

    def build(self, input_shape: Shape) -> None:
        self.vector = self.add_weight(shape=(self.size,), initializer="zeros", name="vector")

    def call(self, x: Tensor) -> Tensor:
        return tf.broadcast_to(tf.convert_to_tensor(self.vector), [tf.shape(x)[0], self.size])

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size}


def contexts_of(backbone: keras.Model) -> list[keras.Variable]:
    """Returns the variables of a backbone that are contexts."""
    layers = backbone._flatten_layers(include_self=False)
    return [layer.vector for layer in layers if isinstance(layer, Context)]
