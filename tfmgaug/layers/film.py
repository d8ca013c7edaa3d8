"""Feature-wise linear modulation: a context scales and shifts channels."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug.types import Shape, Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class FiLM(keras.layers.Layer):
    """Scales and shifts each channel as a context says.

    `y = scale * x + shift`, where `(scale, shift) = context K + b` for each channel. It is called
    with features `[batch, ..., channels]` and a context `[batch, size]`. K starts uniform with
    variance `1 / size`, b uniform in `±1 / sqrt(size)`, as the authors of CAVIA have it: their
    inner learning rate belongs to these.

    Args:
        seed: int >= 0, the start of K and b.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: the context is not a vector for each example.

    Example:
        >>> x = FiLM()([x, Context(100)(x)])

    Reference:
        Perez et al., FiLM, 2018, https://arxiv.org/abs/1709.07871, Eq. 2.
        Zintgraf et al., CAVIA, 2019, https://arxiv.org/abs/1810.03642, Section 3.2.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, input_shape: Sequence[Shape]) -> None:
        features, context = input_shape
        if len(context) != 2:
            raise ValueError(
                f"{self.name} expects features and a context [batch, size]. "
                f"Received: shapes {tuple(features)} and {tuple(context)}."
            )
        size, channels = context[-1], features[-1]
        kernel = keras.initializers.VarianceScaling(1.0, "fan_in", "uniform", seed=self.seed)
        bias = keras.initializers.RandomUniform(-(size**-0.5), size**-0.5, seed=self.seed + 1)
        # Channels stand last, as in all weights that width masks prune. Shaped flat while it is
        # drawn: an initializer takes [size, 2, channels] for a convolution.
        self.kernel = self.add_weight(
            shape=(size, 2, channels),
            initializer=lambda shape, dtype: tf.reshape(
                kernel((size, 2 * channels), dtype=dtype), shape
            ),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(2, channels), initializer=bias, name="bias")

    def call(self, inputs: Sequence[Tensor]) -> Tensor:
        x, context = inputs
        modulation = tf.tensordot(context, tf.convert_to_tensor(self.kernel), 1)
        modulation += tf.convert_to_tensor(self.bias)  # [batch, 2, channels]
        shape = [-1, *[1] * (x.shape.rank - 2), x.shape[-1]]
        scale, shift = (tf.reshape(part, shape) for part in tf.unstack(modulation, axis=1))
        return scale * x + shift

    def compute_output_shape(self, input_shape: Sequence[Shape]) -> Shape:
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "seed": self.seed}
