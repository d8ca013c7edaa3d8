"""ResNet-12: the residual network of the few-shot literature."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import keras

from tfmgaug.backbones.checks import check_epsilon, check_image_shape, check_pooling, check_way
from tfmgaug.backbones.residual import convolution
from tfmgaug.backbones.seeds import layer_seeds
from tfmgaug.backbones.starts import head_start
from tfmgaug.layers import BatchNormalization, SpatialDense, Standardization
from tfmgaug.types import ImageShape

_POOLING = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
_SLOPE = 0.1  # of LeakyReLU below zero


def resnet12(
    way: int | None,
    image_shape: ImageShape = (84, 84, 3),
    filters: Sequence[int] = (64, 160, 320, 640),
    *,
    mean: float = 127.5,
    standard_deviation: float = 127.5,
    activation: str | Callable | None = None,
    pooling: str = "max",
    global_pooling: bool = True,
    normalization_epsilon: float = 1e-3,
    head_initializer: Literal["glorot_uniform", "fan_in_uniform"] = "glorot_uniform",
    seed: int = 0,
    dtype: str | None = None,
    name: str = "resnet12",
) -> keras.Model:
    """Builds ResNet-12: four residual blocks of three convolutions.

    With `c(x) = norm(conv3x3(x))` and the activation f, each block is

    `x <- f(pool2x2(c(f(c(f(c(x))))) + norm(conv1x1(x))))`,

    then comes the mean over positions and a dense head. Convolutions have no bias and start
    He-normal over fan-out. The papers pool after the activation: with max pooling and an activation
    that never falls, such as theirs, the function is the same, with a quarter of the work.

    Args:
        way: int, number of outputs; None leaves the head away and gives embeddings (ProtoNet).
        image_shape: (height, width, channels); height and width at least `2 ** len(filters)`.
        filters: channels of each block. The default is that of Lee et al.; the Meta-ticket paper's
            code, as BOIL's, has (64, 128, 256, 512).
        mean: float in 0-255, subtracted from the images.
        standard_deviation: float > 0 in 0-255, which the images are divided by.
        activation: str, Keras activation; None: LeakyReLU with a slope of 0.1 below zero.
        pooling: "max" or "average".
        global_pooling: bool, whether positions are averaged before the head. True: the embedding is
            the mean over positions (Meta-ticket's code). False: it is all positions, flattened (Lee
            et al.), and the head knows them apart.
        normalization_epsilon: float > 0, what normalization adds to a channel's variance. PyTorch's
            default is 1e-5, TensorFlow's 1e-3.
        head_initializer: distribution that the head starts from: "glorot_uniform" with biases of
            zero, or "fan_in_uniform", kernel and biases uniform within `1 / sqrt(fan_in)` of zero,
            which is PyTorch's default and that of Meta-ticket's code.
        seed: int, the start of the weights.
        dtype: Keras dtype policy; None takes the global one.
        name: str.

    Returns:
        A `keras.Model` from raw images `[batch, height, width, channels]` in 0-255 to logits
        `[batch, way]`, or to embeddings: `[batch, filters[-1]]` with global pooling,
        `[batch, features]` without. It takes images of any size with global pooling, and smaller
        ones without.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> resnet12(way=5, image_shape=(32, 32, 3), filters=(16, 40, 80, 160))

    Reference:
        Lee et al., 2019, https://arxiv.org/abs/1904.03758, Section 4.1, without its drop-block.
        Oreshkin et al., 2018, https://arxiv.org/abs/1805.10123, whose network theirs follows.
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 4.2.
    """
    _check(way, image_shape, filters, pooling)
    check_epsilon(normalization_epsilon)
    seeds = iter(layer_seeds(seed, 4 * len(filters) + 1))
    build = _Layers(activation, pooling, normalization_epsilon, seeds, dtype)
    inputs = keras.Input((None, None, image_shape[-1]), name="image")
    x = Standardization(image_shape, mean, standard_deviation, dtype=dtype, name="standardization")(
        inputs
    )
    for block, channels in enumerate(filters, start=1):
        x = build.block(x, channels, block)
    if global_pooling:
        x = keras.layers.GlobalAveragePooling2D(dtype=dtype, name="embedding")(x)
    elif way is None:
        x = keras.layers.Flatten(dtype=dtype, name="embedding")(x)
    if way is not None:
        size = None if global_pooling else [side // 2 ** len(filters) for side in image_shape[:2]]
        x = build.head(x, way, size, head_initializer)
    return keras.Model(inputs, x, name=name)


class _Layers:
    """Builds the layers of one network, which share all that is given here."""

    def __init__(self, activation, pooling, epsilon, seeds, dtype):
        self._activation, self._pooling, self._epsilon = activation, pooling, epsilon
        self._seeds, self._dtype = seeds, dtype

    def block(self, x, filters, number):
        """A residual block, whose last layer is called `stage<number>`."""
        # Not `PooledBatchNormalization`: the pool sees the sum of two normalized maps, and which
        # of four sums is the highest can't be read off either map before it is normalized.
        y = x
        for place in ("first", "second", "third"):
            y = self._convolution(y, filters, 3, f"block{number}_{place}")
            if place != "third":
                y = self._activate(y, f"block{number}_{place}_activation")
        x = self._convolution(x, filters, 1, f"block{number}_shortcut")
        x = keras.layers.Add(dtype=self._dtype, name=f"block{number}_sum")([y, x])
        x = _POOLING[self._pooling](2, dtype=self._dtype, name=f"block{number}_pool")(x)
        return self._activate(x, f"stage{number}")

    def head(self, x, way, size, start):
        """Logits: of embeddings if there is no `size`, of feature maps up to it otherwise."""
        fan_in = x.shape[-1] * (1 if size is None else math.prod(size))
        options = {**head_start(start, fan_in, next(self._seeds)), "dtype": self._dtype}
        options["name"] = "head"
        if size is None:
            return keras.layers.Dense(way, **options)(x)
        return SpatialDense(way, size=size, **options)(x)

    def _convolution(self, x, filters, size, name):
        """Convolves and normalizes."""
        x = convolution(x, filters, size, 1, name, next(self._seeds), self._dtype)
        return BatchNormalization(self._epsilon, dtype=self._dtype, name=f"{name}_norm")(x)

    def _activate(self, x, name):
        if self._activation is None:
            return keras.layers.LeakyReLU(_SLOPE, dtype=self._dtype, name=name)(x)
        return keras.layers.Activation(self._activation, dtype=self._dtype, name=name)(x)


def _check(way, image_shape, filters, pooling):
    check_way(way)
    if not filters or min(filters) < 1:
        raise ValueError(
            f"`filters` must be at least 1 in each block. Received: filters={tuple(filters)}."
        )
    blocks = len(filters)
    check_image_shape(image_shape, 2**blocks, f": {blocks} poolings halve them")
    check_pooling(pooling, _POOLING)
