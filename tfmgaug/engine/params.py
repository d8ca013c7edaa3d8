"""Parameters by name: dictionaries of tensors, each named after the variable it stands for."""

import re
from collections.abc import Iterable

import keras
import tensorflow as tf

Params = dict[str, tf.Tensor]
"""Tensors by name. The order is that of the variables, and never carries a meaning."""


def name_of(variable: keras.Variable, owner: str = "") -> str:
    """Names a variable after its path, so that the name can be an argument's.

    Args:
        variable: Keras variable.
        owner: name of a model, which is left out where the path starts with it.

    Returns:
        "conv1_kernel" for the path "conv1/kernel".
    """
    return re.sub(r"\W+", "_", variable.path.removeprefix(f"{owner}/"))


def by_name(
    variables: Iterable[keras.Variable], owner: str = "", elsewhere: Iterable[keras.Variable] = ()
) -> dict[str, keras.Variable]:
    """Arranges variables by name.

    Args:
        variables: Keras variables.
        owner: as of `name_of`.
        elsewhere: those that are not the owner's, whatever their paths start with.

    Returns:
        A dictionary in the order of the variables.

    Raises:
        ValueError: two variables have the same name.
    """
    variables, others = list(variables), {variable.path for variable in elsewhere}
    named = {name_of(v, "" if v.path in others else owner): v for v in variables}
    if len(named) < len(variables):
        paths = [variable.path for variable in variables]
        raise ValueError(f"Expected layers of different names. Received: weights {paths}.")
    return named


def read(variables: dict[str, keras.Variable]) -> Params:
    """Reads variables: within a `keras.StatelessScope`, the tensors that stand for them."""
    return {name: tf.convert_to_tensor(variable) for name, variable in variables.items()}


def select(params: Params, names: Iterable[str]) -> Params:
    """Picks parameters by name, in the order of the names."""
    return {name: params[name] for name in names}


def without(params: Params, names: Iterable[str]) -> Params:
    """Leaves parameters out by name."""
    left_out = set(names)
    return {name: tensor for name, tensor in params.items() if name not in left_out}


def replace(params: Params, changed: Params) -> Params:
    """Replaces the parameters that have a namesake, and takes nothing else over."""
    return {name: changed.get(name, tensor) for name, tensor in params.items()}


def add(left: Params, right: Params) -> Params:
    """Adds parameters of the same names."""
    return {name: tensor + right[name] for name, tensor in left.items()}
