"""A multilayer perceptron, with or without normalization."""

import keras

from tfmgaug.backbones.seeds import layer_seeds
from tfmgaug.layers import BatchNormalization, Standardization


def mlp(
    way,
    input_shape,
    hidden=(256, 128, 64, 64),
    *,
    normalization=True,
    mean=None,
    standard_deviation=None,
    activation="relu",
    seed=0,
    dtype=None,
    name="mlp",
):
    """Builds a fully connected network.

    `x <- activation(norm(x W + b))` for every hidden layer, then a dense head.

    Args:
        way: int, number of outputs (1 for a scalar regression); None leaves the head away.
        input_shape: shape of one input: (height, width, channels) of an image, or (features,).
        hidden: sizes of the hidden layers.
        normalization: bool, batch normalization before each activation.
        mean: float, subtracted from the inputs; None: 127.5 for images, 0 otherwise.
        standard_deviation: float > 0, divides the inputs; None: 127.5 for images, 1 otherwise.
        activation: Keras activation.
        seed: int, the start of the weights.
        dtype: Keras dtype policy; None takes the global one.
        name: str.

    Returns:
        A `keras.Model` from `[batch, *input_shape]` to `[batch, way]`.

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> mlp(1, (1,), hidden=(40, 40), normalization=False)  # sine regression

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Section 5.
    """
    if way is not None and way < 1:
        raise ValueError(f"`way` must be at least 1, or None for no head. Received: way={way}.")
    if not hidden or min(hidden) < 1:
        raise ValueError(f"`hidden` must name layer sizes of at least 1. Received: {hidden!r}.")
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
    for layer, size in enumerate(hidden, start=1):
        x = keras.layers.Dense(
            size,
            use_bias=not normalization,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds[layer - 1]),
            dtype=dtype,
            name=f"dense{layer}",
        )(x)
        if normalization:
            x = BatchNormalization(dtype=dtype, name=f"norm{layer}")(x)
        x = keras.layers.Activation(activation, dtype=dtype, name=f"stage{layer}")(x)
    if way is not None:
        x = keras.layers.Dense(
            way,
            kernel_initializer=keras.initializers.GlorotUniform(seed=seeds[-1]),
            dtype=dtype,
            name="head",
        )(x)
    return keras.Model(inputs, x, name=name)
