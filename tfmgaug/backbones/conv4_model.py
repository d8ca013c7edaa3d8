"""Conv-4: four blocks of convolution, normalization, pooling and ReLU."""

from collections.abc import Callable, Sequence

import keras

from tfmgaug.backbones.checks import check_epsilon, check_image_shape, check_pooling, check_way
from tfmgaug.backbones.seeds import layer_seeds
from tfmgaug.layers import (
    BatchNormalization,
    Context,
    FiLM,
    PooledBatchNormalization,
    SpatialDense,
    Standardization,
)
from tfmgaug.types import ImageShape

_BLOCKS = 4
_POOLING = ("max", "average", "strided")


def conv4(
    way: int | None,
    image_shape: ImageShape,
    filters: int = 64,
    *,
    mean: float = 127.5,
    standard_deviation: float = 127.5,
    activation: str | Callable | None = "relu",
    pooling: str = "max",
    fused: bool = True,
    context: int | None = None,
    context_blocks: Sequence[int] = (3,),
    normalization_epsilon: float = 1e-3,
    seed: int = 0,
    dtype: str | None = None,
    name: str = "conv4",
) -> keras.Model:
    """Builds the four-block convolutional network of the few-shot literature.

    `x <- relu(pool(norm(conv3x3(x))))`, four times, then a dense head. ReLU comes after pooling:
    the function is the same, with a quarter of the work. Convolutions have no bias, which the
    normalization would cancel. Strided, a block is `x <- relu(norm(conv3x3(x, stride 2)))`.

    Args:
        way: int, number of outputs; None leaves the head away and gives embeddings (ProtoNet).
        image_shape: (height, width, channels); height and width at least 16.
        filters: int >= 1, channels of every block.
        mean: float in 0-255, subtracted from the images.
        standard_deviation: float > 0 in 0-255, which the images are divided by.
        activation: str, Keras activation.
        pooling: "max", "average", or "strided": convolutions take every second position, and
            nothing is pooled. cbfinn/maml has it on Omniglot, with a mean over the positions that
            are left; here the head sees each of them, as it does behind pooling.
        fused: bool, whether normalization and max pooling are compiled into one; see
            `PooledBatchNormalization`.
        context: int >= 1, entries of a context, which `CAVIA` adapts. It scales and shifts the
            channels of some blocks (FiLM) between pooling and ReLU. None: none.
        context_blocks: blocks that a context scales and shifts, by number, from 1. The authors of
            CAVIA have it in the third.
        normalization_epsilon: float > 0, what normalization adds to a channel's variance. PyTorch's
            default is 1e-5, TensorFlow's 1e-3.
        seed: int, the start of the weights.
        dtype: Keras dtype policy; None takes the global one.
        name: str.

    Returns:
        A `keras.Model` from raw images `[batch, height, width, channels]` in 0-255 to logits
        `[batch, way]`, or to embeddings `[batch, features]`. It takes smaller images too.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> conv4(way=5, image_shape=(28, 28, 1), filters=32)

    Reference:
        Vinyals et al., 2016, https://arxiv.org/abs/1606.04080, Section 4.1.
        Zintgraf et al., CAVIA, 2019, https://arxiv.org/abs/1810.03642, Section 3.2.
    """
    _check(way, image_shape, filters, pooling, context_blocks)
    check_epsilon(normalization_epsilon)
    height, width, channels = image_shape
    seeds = layer_seeds(seed, 2 * _BLOCKS + 1)
    phi = None if context is None else Context(context, dtype=dtype, name="context")
    inputs = keras.Input((None, None, channels), name="image")
    x = Standardization(image_shape, mean, standard_deviation, dtype=dtype, name="standardization")(
        inputs
    )
    for block in range(1, _BLOCKS + 1):
        x = keras.layers.Conv2D(
            filters,
            3,
            strides=2 if pooling == "strided" else 1,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds[block - 1]),
            dtype=dtype,
            name=f"conv{block}",
        )(x)
        if pooling == "max":
            x = PooledBatchNormalization(
                fused, epsilon=normalization_epsilon, dtype=dtype, name=f"norm{block}"
            )(x)
        else:
            x = BatchNormalization(normalization_epsilon, dtype=dtype, name=f"norm{block}")(x)
        if pooling == "average":
            x = keras.layers.AveragePooling2D(2, dtype=dtype, name=f"pool{block}")(x)
        if phi is not None and block in context_blocks:
            film = FiLM(seeds[_BLOCKS + block], dtype=dtype, name=f"film{block}")
            x = film([x, phi(x)])
        x = keras.layers.Activation(activation, dtype=dtype, name=f"stage{block}")(x)
    if way is None:
        outputs = keras.layers.Flatten(dtype=dtype, name="embedding")(x)
    else:
        outputs = SpatialDense(
            way,
            size=[_size_left(side, pooling) for side in (height, width)],
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds[_BLOCKS]),
            dtype=dtype,
            name="head",
        )(x)
    return keras.Model(inputs, outputs, name=name)


def _size_left(side, pooling):
    """Pooling drops an odd last row, a strided convolution pads it."""
    return -(-side // 2**_BLOCKS) if pooling == "strided" else side // 2**_BLOCKS


def _check(way, image_shape, filters, pooling, context_blocks):
    check_way(way)
    check_image_shape(image_shape, 2**_BLOCKS, ": four poolings halve them")
    if filters < 1:
        raise ValueError(f"`filters` must be at least 1. Received: filters={filters}.")
    check_pooling(pooling, _POOLING)
    if not context_blocks or not set(context_blocks) <= set(range(1, _BLOCKS + 1)):
        raise ValueError(
            f"`context_blocks` must name blocks from 1 to {_BLOCKS}. Received: {context_blocks!r}."
        )
