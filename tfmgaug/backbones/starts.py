"""Distributions that the layers of a backbone start from, by name."""

from typing import Any

import keras

from tfmgaug.backbones.seeds import layer_seeds

_KERNELS = ("glorot_uniform", "kaiming_normal")
_HEADS = ("glorot_uniform", "fan_in_uniform")


def kernel_start(name: str, seed: int) -> keras.Initializer:
    """Returns the initializer of a kernel.

    Args:
        name: "glorot_uniform", or "kaiming_normal": variance 2 / fan-in.
        seed: int.

    Returns:
        A Keras initializer.

    Raises:
        ValueError: there is no such distribution.
    """
    if name not in _KERNELS:
        raise ValueError(f"`kernel_initializer` must be one of {_KERNELS}. Received: {name!r}.")
    if name == "glorot_uniform":
        return keras.initializers.GlorotUniform(seed=seed)
    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=seed)


def head_start(name: str, fan_in: int, seed: int) -> dict[str, Any]:
    """Returns the initializers of a head.

    Args:
        name: "glorot_uniform", with biases of zero; or "fan_in_uniform": kernel and biases are
            uniform within `1 / sqrt(fan_in)` of zero, as PyTorch's linear layers start.
        fan_in: int, number of inputs of the head.
        seed: int.

    Returns:
        A dictionary of arguments of the layer.

    Raises:
        ValueError: there is no such distribution.
    """
    if name not in _HEADS:
        raise ValueError(f"`head_initializer` must be one of {_HEADS}. Received: {name!r}.")
    if name == "glorot_uniform":
        return {"kernel_initializer": keras.initializers.GlorotUniform(seed=seed)}
    bound, (kernel_seed, bias_seed) = fan_in**-0.5, layer_seeds(seed, 2)
    return {
        "kernel_initializer": keras.initializers.RandomUniform(-bound, bound, seed=kernel_seed),
        "bias_initializer": keras.initializers.RandomUniform(-bound, bound, seed=bias_seed),
    }
