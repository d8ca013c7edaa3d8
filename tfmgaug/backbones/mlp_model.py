"""A multilayer perceptron, with or without normalization."""

from collections.abc import Callable, Sequence
from typing import Literal

import keras

from tfmgaug.backbones.checks import check_epsilon, check_way
from tfmgaug.backbones.seeds import layer_seeds
from tfmgaug.backbones.starts import kernel_start
from tfmgaug.layers import BatchNormalization, Context, Standardization


def mlp(
    way: int | None,
    input_shape: tuple[int, ...],
    hidden: Sequence[int] = (256, 128, 64, 64),
    *,
    width_factor: float = 1,
    normalization: bool = True,
    mean: float | None = None,
    standard_deviation: float | None = None,
    activation: str | Callable | None = "relu",
    context: int | None = None,
    normalization_epsilon: float = 1e-3,
    kernel_initializer: Literal["glorot_uniform", "kaiming_normal"] = "glorot_uniform",
    seed: int = 0,
    dtype: str | None = None,
    name: str = "mlp",
) -> keras.Model:
    """Builds a fully connected network.

    `x <- activation(norm(x W + b))` for every hidden layer, then a dense head.

    The Meta-ticket paper's 5-layer MLP is four hidden layers and the head. It doesn't print their
    sizes; its code has the default ones on Omniglot, times a width factor of 1, 2, 4 and 8, and
    (1024, 512, 256, 128) on 32x32 images.

    Args:
        way: int, number of outputs (1 for a scalar regression); None leaves the head away.
        input_shape: shape of one input: (height, width, channels) of an image, or (features,).
        hidden: sizes of the MLP's hidden layers.
        width_factor: float > 0, multiplies all of `hidden`, rounded.
        normalization: bool, batch normalization before each activation.
        mean: float, subtracted from the inputs; None: 127.5 for images, 0 otherwise.
        standard_deviation: float > 0, divides the inputs; None: 127.5 for images, 1 otherwise.
        activation: str, Keras activation.
        context: int >= 1, entries of a context that the inputs are joined with, which `CAVIA`
            adapts; None: none. Batch normalization would cancel what is the same in all examples.
        normalization_epsilon: float > 0, what normalization adds to a channel's variance. PyTorch's
            default is 1e-5, TensorFlow's 1e-3.
        kernel_initializer: distribution that all kernels start from, the head's too:
            "glorot_uniform", or "kaiming_normal" of variance 2 / fan-in, Meta-ticket's code.
        seed: int, the start of the weights.
        dtype: Keras dtype policy; None takes the global one.
        name: str.

    Returns:
        A `keras.Model` from `[batch, *input_shape]` to `[batch, way]`.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> mlp(1, (1,), hidden=(40, 40), normalization=False)  # sine regression
        >>> mlp(1, (1,), hidden=(40, 40), normalization=False, context=5)  # the same by CAVIA
        >>> mlp(5, (28, 28, 1), width_factor=4)

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Section 5.
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 4.1.1.
        Zintgraf et al., CAVIA, 2019, https://arxiv.org/abs/1810.03642, Section 3.1.
    """
    check_way(way, smallest=1)
    check_epsilon(normalization_epsilon)
    if not hidden or min(hidden) < 1:
        raise ValueError(f"`hidden` must name layer sizes of at least 1. Received: {hidden!r}.")
    widened = [round(width_factor * size) for size in hidden]
    if min(widened) < 1:
        raise ValueError(
            "`width_factor` must leave a unit in every layer. "
            f"Received: width_factor={width_factor} and hidden={hidden!r}."
        )
    if context is not None and normalization:
        raise ValueError(
            "Batch normalization cancels a context, which adds the same to all examples: use "
            f"normalization=False. Received: context={context} and normalization=True."
        )
    seeds = layer_seeds(seed, len(hidden) + 1)
    center = 127.5 if len(input_shape) == 3 else 0.0
    mean = center if mean is None else mean
    standard_deviation = (center or 1.0) if standard_deviation is None else standard_deviation

    inputs = keras.Input(input_shape, name="image" if len(input_shape) == 3 else "features")
    x = Standardization(input_shape, mean, standard_deviation, dtype=dtype, name="standardization")(
        inputs
    )
    if len(input_shape) > 1:
        x = keras.layers.Flatten(dtype=dtype, name="flatten")(x)
    if context is not None:
        phi = Context(context, dtype=dtype, name="context")(x)
        x = keras.layers.Concatenate(dtype=dtype, name="with_context")([x, phi])
    for layer, size in enumerate(widened, start=1):
        x = keras.layers.Dense(
            size,
            use_bias=not normalization,
            kernel_initializer=kernel_start(kernel_initializer, seeds[layer - 1]),
            dtype=dtype,
            name=f"dense{layer}",
        )(x)
        if normalization:
            x = BatchNormalization(normalization_epsilon, dtype=dtype, name=f"norm{layer}")(x)
        x = keras.layers.Activation(activation, dtype=dtype, name=f"stage{layer}")(x)
    if way is not None:
        x = keras.layers.Dense(
            way,
            kernel_initializer=kernel_start(kernel_initializer, seeds[-1]),
            dtype=dtype,
            name="head",
        )(x)
    return keras.Model(inputs, x, name=name)
