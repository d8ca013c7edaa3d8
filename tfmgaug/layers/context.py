"""The context of a task: a vector that adapts where all weights stay."""

import keras
import tensorflow as tf


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

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        if size < 1:
            raise ValueError(f"`size` must be at least 1. Received: size={size}.")
        self.size = size

    def build(self, input_shape):
        self.vector = self.add_weight(shape=(self.size,), initializer="zeros", name="vector")

    def call(self, x):
        return tf.broadcast_to(tf.convert_to_tensor(self.vector), [tf.shape(x)[0], self.size])

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.size)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def contexts_of(backbone):
    """Returns the variables of a backbone that are contexts."""
    layers = backbone._flatten_layers(include_self=False)
    return [layer.vector for layer in layers if isinstance(layer, Context)]
