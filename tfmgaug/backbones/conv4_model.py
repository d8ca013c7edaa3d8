"""Conv-4: four blocks of convolution, normalization, pooling and ReLU."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

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
_POOLING = {
    "max": keras.layers.MaxPooling2D,
    "average": keras.layers.AveragePooling2D,
    "strided": None,
}


def conv4(
    way: int | None,
    image_shape: ImageShape,
    filters: int = 64,
    *,
    mean: float = 127.5,
    standard_deviation: float = 127.5,
    activation: str | Callable | None = "relu",
    pooling: str = "max",
    pool_padding: Literal["valid", "same"] = "valid",
    pool_first: bool = False,
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

    The network of supervised-reptile on mini-ImageNet has `pool_padding="same"`, `pool_first=True`
    and 32 filters: 84 positions become 42, 21, 11 and 6. (Its convolutions' biases are cancelled.)

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
        pool_padding: what pooling does with a last odd row or column: "valid" leaves it out, "same"
            gives it windows of its own.
        pool_first: bool, whether blocks pool before they normalize: the moments of a batch are then
            those of pooled maps.
        fused: bool, whether normalization and max pooling are compiled into one, if not
            `pool_first`; see `PooledBatchNormalization`.
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
        Nichol et al., Reptile, 2018, https://arxiv.org/abs/1803.02999, and its code.
    """
    _check(way, image_shape, filters, context_blocks)
    _check_pooling(pooling, pool_padding, pool_first)
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
        norm: dict[str, Any] = {"epsilon": normalization_epsilon, "name": f"norm{block}"}
        pool: dict[str, Any] = {"padding": pool_padding, "name": f"pool{block}"}
        norm["dtype"] = pool["dtype"] = dtype
        if pooling == "strided":
            x = BatchNormalization(**norm)(x)
        elif pool_first:
            x = BatchNormalization(**norm)(_POOLING[pooling](2, **pool)(x))
        elif pooling == "max":
            x = PooledBatchNormalization(fused, pool_padding, **norm)(x)
        else:
            x = _POOLING[pooling](2, **pool)(BatchNormalization(**norm)(x))
        if phi is not None and block in context_blocks:
            film = FiLM(seeds[_BLOCKS + block], dtype=dtype, name=f"film{block}")
            x = film([x, phi(x)])
        x = keras.layers.Activation(activation, dtype=dtype, name=f"stage{block}")(x)
    if way is None:
        outputs = keras.layers.Flatten(dtype=dtype, name="embedding")(x)
    else:
        outputs = SpatialDense(
            way,
            size=[_size_left(side, pooling, pool_padding) for side in (height, width)],
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds[_BLOCKS]),
            dtype=dtype,
            name="head",
        )(x)
    return keras.Model(inputs, outputs, name=name)


def _size_left(side, pooling, pool_padding):
    """Pooling drops an odd last row unless it pads, and strided convolutions pad it."""
    padded = pooling == "strided" or pool_padding == "same"
    return -(-side // 2**_BLOCKS) if padded else side // 2**_BLOCKS


def _check_pooling(pooling, pool_padding, pool_first):
    check_pooling(pooling, _POOLING)
    if pool_padding not in ("valid", "same"):
        raise ValueError(f"`pool_padding` must be 'valid' or 'same'. Received: {pool_padding!r}.")
    if pooling == "strided" and (pool_padding != "valid" or pool_first):
        raise ValueError(
            "Strided convolutions leave nothing to pool: `pool_padding` and `pool_first` are for "
            f"other pooling. Received: pooling='strided', pool_padding={pool_padding!r}, "
            f"pool_first={pool_first}."
        )


def _check(way, image_shape, filters, context_blocks):
    check_way(way)
    check_image_shape(image_shape, 2**_BLOCKS, ": four poolings halve them")
    if filters < 1:
        raise ValueError(f"`filters` must be at least 1. Received: filters={filters}.")
    if not context_blocks or not set(context_blocks) <= set(range(1, _BLOCKS + 1)):
        raise ValueError(
            f"`context_blocks` must name blocks from 1 to {_BLOCKS}. Received: {context_blocks!r}."
        )
