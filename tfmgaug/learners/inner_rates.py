"""Inner learning rates: a number, one per layer, or variables that the outer loop learns."""

from collections.abc import Callable, Sequence
from typing import Any

import keras

_LEARNED = ("no", "layer", "parameter")


def build(
    add_weight: Callable,
    layers: Sequence[keras.Layer],
    adapting: dict[str, keras.Variable],
    rate: float | Sequence[float],
    learned: str,
) -> dict[str, Any]:
    """Finds the inner learning rate of each weight that adapts.

    Args:
        add_weight: the learner's method, which makes variables.
        layers: the backbone's layers that own weights.
        adapting: dictionary from names to the variables that adapt.
        rate: float >= 0, or a list with one for each layer that adapts.
        learned: "no", "layer" or "parameter".

    Returns:
        A dictionary from names to floats or variables; with "layer", weights of one layer share
        theirs.

    Raises:
        ValueError: a rate is negative, their number does not fit, or `learned` is unknown.
    """
    if learned not in _LEARNED:
        raise ValueError(f"`learn_inner_rates` must be one of {_LEARNED}. Received: {learned!r}.")
    owners = _owners(layers, adapting)
    initial = _per_layer(rate, list(dict.fromkeys(owners.values())))
    if learned == "no":
        return {name: initial[owner] for name, owner in owners.items()}

    def variable(name, shape, value):
        return add_weight(
            shape=shape, initializer=keras.initializers.Constant(value), name=f"{name}_rate"
        )

    if learned == "layer":
        shared = {owner: variable(owner, (), value) for owner, value in initial.items()}
        return {name: shared[owner] for name, owner in owners.items()}
    return {
        name: variable(name, adapting[name].shape, initial[owner]) for name, owner in owners.items()
    }


def _owners(layers, adapting):
    names = {id(v): layer.name for layer in layers for v in layer.trainable_variables}
    return {name: names[id(variable)] for name, variable in adapting.items()}


def _per_layer(rate, layers):
    rates = [rate] * len(layers) if isinstance(rate, (int, float)) else list(rate)
    if len(rates) != len(layers) or min(rates) < 0:
        raise ValueError(
            "`inner_learning_rate` must be a number >= 0, or one for each of the layers "
            f"{layers}. Received: {rate}."
        )
    return dict(zip(layers, map(float, rates)))
