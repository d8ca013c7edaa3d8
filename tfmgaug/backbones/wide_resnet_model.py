"""Wide residual networks: WRN-28-10, and others of any depth and width."""

from collections.abc import Callable
from typing import Literal

import keras

from tfmgaug.backbones.checks import check_epsilon, check_image_shape, check_way
from tfmgaug.backbones.residual import convolution, head
from tfmgaug.backbones.seeds import layer_seeds
from tfmgaug.layers import BatchNormalization, Standardization
from tfmgaug.types import ImageShape

_GROUPS = 3


def wide_resnet(
    way: int | None,
    image_shape: ImageShape = (32, 32, 3),
    depth: int = 28,
    widen: int = 10,
    filters: int = 16,
    *,
    mean: float = 127.5,
    standard_deviation: float = 127.5,
    activation: str | Callable | None = "relu",
    normalization_epsilon: float = 1e-3,
    head_initializer: Literal["glorot_uniform", "fan_in_uniform"] = "glorot_uniform",
    seed: int = 0,
    dtype: str | None = None,
    name: str = "wide_resnet",
) -> keras.Model:
    """Builds a wide residual network of pre-activation blocks, WRN-28-10 by default.

    A stem, `x <- conv3x3(x)`, then three groups of blocks

    `x <- conv3x3(relu(norm(conv3x3(relu(norm(x)))))) + x`,

    then `relu(norm(x))`, the mean over positions and a dense head. Where a group changes the number
    of channels, its first block has `conv1x1(relu(norm(x)))` in place of the last `x`. The first
    convolution of the second and third group, and their shortcuts, have stride 2. Convolutions have
    no bias, which the normalizations behind would cancel, and start He-normal over fan-out. There
    is no dropout. Padding is zeros on both sides, so that strided convolutions and shortcuts stay
    centered on the same pixels at every image size.

    Args:
        way: int, number of outputs; None leaves the head away and gives embeddings (ProtoNet).
        image_shape: (height, width, channels); height and width at least 4.
        depth: int, depth of the network, `6 n + 4` for n blocks in each group: 10, 16, 22, 28.
        widen: int, factor on the channels of the groups.
        filters: int >= 1, channels of the stem; the groups have `filters * widen` times 1, 2 and 4.
        mean: float in 0-255, subtracted from the images.
        standard_deviation: float > 0 in 0-255, which the images are divided by.
        activation: str, Keras activation.
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
        `[batch, way]`, or to embeddings `[batch, 4 * filters * widen]`. It takes images of any
        size.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> wide_resnet(way=5, image_shape=(84, 84, 3), depth=16, widen=2)

    Reference:
        Zagoruyko and Komodakis, 2016, https://arxiv.org/abs/1605.07146, Section 2 and Table 1.
        (Meta-ticket's code strides in a block's second convolution, and its shortcuts pass by the
        normalization.)
    """
    _check(way, image_shape, depth, widen, filters)
    check_epsilon(normalization_epsilon)
    blocks = (depth - 4) // 6
    # At most: stem, two in each block, a shortcut in each group, head.
    seeds = iter(layer_seeds(seed, 2 * _GROUPS * blocks + _GROUPS + 2))
    build = _Layers(activation, normalization_epsilon, seeds, dtype)
    inputs = keras.Input((None, None, image_shape[-1]), name="image")
    x = Standardization(image_shape, mean, standard_deviation, dtype=dtype, name="standardization")(
        inputs
    )
    x = build.convolution(x, filters, 3, 1, "stem")
    for group in range(1, _GROUPS + 1):
        channels = filters * widen * 2 ** (group - 1)
        for block in range(1, blocks + 1):
            stride = 2 if group > 1 and block == 1 else 1
            last = block == blocks and group < _GROUPS
            end = f"stage{group}" if last else f"group{group}_block{block}_sum"
            x = build.block(x, channels, stride, f"group{group}_block{block}", end)
    x = build.normalized(x, "last_norm", f"stage{_GROUPS}")
    return keras.Model(inputs, head(x, way, next(seeds), dtype, head_initializer), name=name)


class _Layers:
    """Builds the layers of one network, which share activation, epsilon, seeds and dtype."""

    def __init__(self, activation, epsilon, seeds, dtype):
        self._activation, self._epsilon = activation, epsilon
        self._seeds, self._dtype = seeds, dtype

    def normalized(self, x, name, end):
        """Normalizes and activates; the activation is called `end`."""
        x = BatchNormalization(self._epsilon, dtype=self._dtype, name=name)(x)
        return keras.layers.Activation(self._activation, dtype=self._dtype, name=end)(x)

    def convolution(self, x, filters, size, stride, name):
        return convolution(x, filters, size, stride, name, next(self._seeds), self._dtype)

    def block(self, x, filters, stride, name, end):
        """A pre-activation block, whose last layer is called `end`."""
        y = self.normalized(x, f"{name}_first_norm", f"{name}_first_activation")
        if x.shape[-1] != filters:
            x = y
            if stride > 1:
                # Before a convolution without a stride: the gradients of a strided 1x1 convolution
                # of few channels write out of bounds in TensorFlow's oneDNN kernels.
                x = keras.layers.AveragePooling2D(
                    1, strides=stride, dtype=self._dtype, name=f"{name}_shortcut_stride"
                )(x)
            x = self.convolution(x, filters, 1, 1, f"{name}_shortcut")
        y = self.convolution(y, filters, 3, stride, f"{name}_first")
        y = self.normalized(y, f"{name}_second_norm", f"{name}_second_activation")
        y = self.convolution(y, filters, 3, 1, f"{name}_second")
        return keras.layers.Add(dtype=self._dtype, name=end)([y, x])


def _check(way, image_shape, depth, widen, filters):
    check_way(way)
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(
            "`depth` must be 6 n + 4 for n >= 1 blocks in each group: 10, 16, 22, 28, ... "
            f"Received: depth={depth}."
        )
    if widen < 1 or filters < 1:
        raise ValueError(
            "`widen` and `filters` must be at least 1. "
            f"Received: widen={widen} and filters={filters}."
        )
    check_image_shape(image_shape, 2 ** (_GROUPS - 1))
