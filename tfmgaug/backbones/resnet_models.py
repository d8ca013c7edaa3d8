"""Residual networks: ResNet-10, ResNet-18, and others of basic blocks."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

from tfmgaug.backbones.checks import check_epsilon, check_image_shape, check_pooling, check_way
from tfmgaug.backbones.residual import convolution, head
from tfmgaug.backbones.seeds import layer_seeds
from tfmgaug.layers import BatchNormalization, Standardization
from tfmgaug.types import ImageShape

_POOLING = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}


def resnet(
    way: int | None,
    image_shape: ImageShape = (224, 224, 3),
    blocks: Sequence[int] = (1, 1, 1, 1),
    filters: Sequence[int] = (64, 128, 256, 512),
    *,
    mean: float = 127.5,
    standard_deviation: float = 127.5,
    activation: str | Callable | None = "relu",
    pooling: str = "max",
    normalization_epsilon: float = 1e-3,
    seed: int = 0,
    dtype: str | None = None,
    name: str = "resnet",
) -> keras.Model:
    """Builds a residual network of basic blocks.

    A stem, `x <- relu(pool3x3/2(norm(conv7x7/2(x))))`, then groups of blocks

    `x <- relu(norm(conv3x3(relu(norm(conv3x3(x))))) + shortcut(x))`,

    then the mean over positions and a dense head. The first block of each group but the first has
    stride 2. The shortcut is the identity, or `norm(conv1x1(x))` where size or channels change.
    Convolutions have no bias and start He-normal over fan-out. Padding is zeros on both sides, so
    that strided convolutions and shortcuts stay centered on the same pixels at every image size.
    ReLU comes after the stem's pooling: the function is the same, with a quarter of the work.

    Args:
        way: int, number of outputs; None leaves the head away and gives embeddings (ProtoNet).
        image_shape: (height, width, channels); height and width at least `2 ** len(blocks)`.
        blocks: number of blocks in each group.
        filters: channels of each group; the stem has the first group's.
        mean: float in 0-255, subtracted from the images.
        standard_deviation: float > 0 in 0-255, which the images are divided by.
        activation: str, Keras activation.
        pooling: pooling of the stem: "max" or "average".
        normalization_epsilon: float > 0, what normalization adds to a channel's variance. PyTorch's
            default is 1e-5, TensorFlow's 1e-3.
        seed: int, the start of the weights.
        dtype: Keras dtype policy; None takes the global one.
        name: str.

    Returns:
        A `keras.Model` from raw images `[batch, height, width, channels]` in 0-255 to logits
        `[batch, way]`, or to embeddings `[batch, filters[-1]]`. It takes images of any size.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> resnet(way=5, image_shape=(32, 32, 3), blocks=(2, 2), filters=(32, 64))

    Reference:
        He et al., 2016, https://arxiv.org/abs/1512.03385, Section 3.3 and Table 1.
        Chen et al., 2019, https://arxiv.org/abs/1904.04232, whose ResNet-10 the MGAug paper takes.
        (The MGAug code pools the upper left 5x5 of 7x7 positions: here all of them count.)
    """
    _check(way, image_shape, blocks, filters, pooling)
    check_epsilon(normalization_epsilon)
    seeds = iter(layer_seeds(seed, 3 * sum(blocks) + 2))  # at most: stem, blocks, head
    build = _Layers(activation, normalization_epsilon, seeds, dtype)
    inputs = keras.Input((None, None, image_shape[-1]), name="image")
    x = Standardization(image_shape, mean, standard_deviation, dtype=dtype, name="standardization")(
        inputs
    )
    x = build.convolution(x, filters[0], 7, 2, "stem")
    x = keras.layers.ZeroPadding2D(1, dtype=dtype, name="stem_pool_pad")(x)
    x = _POOLING[pooling](3, strides=2, dtype=dtype, name="stem_pool")(x)
    x = build.activation(x, "stage0")
    for group, (count, channels) in enumerate(zip(blocks, filters), start=1):
        for block in range(1, count + 1):
            stride = 2 if group > 1 and block == 1 else 1
            end = f"stage{group}" if block == count else f"group{group}_block{block}"
            x = build.block(x, channels, stride, f"group{group}_block{block}", end)
    return keras.Model(inputs, head(x, way, next(seeds), dtype), name=name)


def resnet10(
    way: int | None,
    image_shape: ImageShape = (224, 224, 3),
    *,
    name: str = "resnet10",
    **options: Any,
) -> keras.Model:
    """Builds ResNet-10: `resnet` with one block in each of four groups.

    Args:
        way: int, number of outputs; None leaves the head away.
        image_shape: (height, width, channels); height and width at least 16.
        name: str.
        **options: of `resnet`.

    Returns:
        A `keras.Model`; see `resnet`.

    Example:
        >>> resnet10(way=5)

    Reference:
        Wang et al., MGAug, Section 5, "Backbones".
    """
    return resnet(way, image_shape, (1, 1, 1, 1), name=name, **options)


def resnet18(
    way: int | None,
    image_shape: ImageShape = (224, 224, 3),
    *,
    name: str = "resnet18",
    **options: Any,
) -> keras.Model:
    """Builds ResNet-18: `resnet` with two blocks in each of four groups.

    Args:
        way: int, number of outputs; None leaves the head away.
        image_shape: (height, width, channels); height and width at least 16.
        name: str.
        **options: of `resnet`.

    Returns:
        A `keras.Model`; see `resnet`.

    Example:
        >>> resnet18(way=5)

    Reference:
        He et al., 2016, https://arxiv.org/abs/1512.03385, Table 1.
    """
    return resnet(way, image_shape, (2, 2, 2, 2), name=name, **options)


class _Layers:
    """Builds the layers of one network, which share activation, epsilon, seeds and dtype."""

    def __init__(self, activation, epsilon, seeds, dtype):
        self._activation, self._epsilon = activation, epsilon
        self._seeds, self._dtype = seeds, dtype

    def activation(self, x, name):
        return keras.layers.Activation(self._activation, dtype=self._dtype, name=name)(x)

    def convolution(self, x, filters, size, stride, name):
        """Convolves and normalizes."""
        x = convolution(x, filters, size, stride, name, next(self._seeds), self._dtype)
        return BatchNormalization(self._epsilon, dtype=self._dtype, name=f"{name}_norm")(x)

    def block(self, x, filters, stride, name, end):
        """A basic block, whose last layer is called `end`."""
        y = self.convolution(x, filters, 3, stride, f"{name}_first")
        y = self.activation(y, f"{name}_first_activation")
        y = self.convolution(y, filters, 3, 1, f"{name}_second")
        if stride > 1 or x.shape[-1] != filters:
            x = self.convolution(x, filters, 1, stride, f"{name}_shortcut")
        x = keras.layers.Add(dtype=self._dtype, name=f"{name}_sum")([y, x])
        return self.activation(x, end)


def _check(way, image_shape, blocks, filters, pooling):
    check_way(way)
    if not blocks or min(blocks) < 1:
        raise ValueError(f"`blocks` must be at least 1 in each group. Received: blocks={blocks}.")
    if len(filters) != len(blocks) or min(filters) < 1:
        raise ValueError(
            "`filters` must have a number of at least 1 for each group of `blocks`. "
            f"Received: filters={filters} and blocks={blocks}."
        )
    # The last group's stride must have two positions to halve.
    check_image_shape(image_shape, 2 ** len(blocks), f" for {len(blocks)} groups")
    check_pooling(pooling, _POOLING)
