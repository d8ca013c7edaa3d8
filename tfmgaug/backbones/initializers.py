"""Weight initializers that draw from a key alone."""

import math
from collections.abc import Sequence

import keras
import tensorflow as tf

from tfmgaug.configured import Configured
from tfmgaug.randomness import normal, uniform


class WeightInitializer(Configured):
    """Draws the weights of a layer.

    Called with a shape, whose last axis are the layer's outputs, a stateless key `[2]` and a dtype.
    """

    # Whether another key gives other weights.
    random = True

    def __call__(self, shape, key, dtype="float32"):
        raise NotImplementedError


@keras.saving.register_keras_serializable("tfmgaug")
class KaimingNormal(WeightInitializer):
    """`w ~ N(0, 2 / fan_in)`, which keeps the size of activations through ReLU layers.

    Example:
        >>> MetaTicket(backbone, weight_initializer=KaimingNormal())

    Reference:
        He et al., Delving Deep into Rectifiers, 2015, https://arxiv.org/abs/1502.01852, Eq. 10.
    """

    def __call__(self, shape, key, dtype="float32"):
        return _deviation(shape) * normal(shape, key, dtype)


@keras.saving.register_keras_serializable("tfmgaug")
class KaimingUniform(WeightInitializer):
    """`w ~ U(-b, b)` with `b = sqrt(6 / fan_in)`: the variance of `KaimingNormal`.

    Example:
        >>> MetaTicket(backbone, weight_initializer=KaimingUniform())

    Reference:
        He et al., Delving Deep into Rectifiers, 2015, https://arxiv.org/abs/1502.01852, Eq. 10.
    """

    def __call__(self, shape, key, dtype="float32"):
        return math.sqrt(3) * _deviation(shape) * (2 * uniform(shape, key, dtype) - 1)


@keras.saving.register_keras_serializable("tfmgaug")
class SignedConstant(WeightInitializer):
    """`w = +c` or `-c`, each as likely, with `c = sqrt(2 / fan_in)`.

    Example:
        >>> MetaTicket(backbone, weight_initializer=SignedConstant())

    Reference:
        Ramanujan et al., What's Hidden in a Randomly Weighted Neural Network?, 2020,
        https://arxiv.org/abs/1911.13299, Section 4.
    """

    def __call__(self, shape, key, dtype="float32"):
        constant = tf.fill(shape, tf.constant(_deviation(shape), dtype))
        return tf.where(uniform(shape, key) < 0.5, -constant, constant)


@keras.saving.register_keras_serializable("tfmgaug")
class PositiveConstant(WeightInitializer):
    """`w = c` with `c = sqrt(2 / fan_in)`: all that a layer can know is which weights it has.

    Example:
        >>> MetaTicket(backbone, weight_initializer=PositiveConstant())

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 4.1.2. (Its
        constant is not printed; this is its code's.)
    """

    random = False

    def __call__(self, shape, key, dtype="float32"):
        return tf.fill(shape, tf.constant(_deviation(shape), dtype))


def fan_in(shape: Sequence[int]) -> int:
    """Returns how many inputs each output of a layer sums up.

    Args:
        shape: of its weights; the last axis are outputs.
    """
    return math.prod(shape[:-1])


def _deviation(shape):
    return math.sqrt(2 / fan_in(shape))
