"""Lists of variables as lists of tensors, and their names."""

import re

import tensorflow as tf


def values(variables):
    """Reads variables: within a `keras.StatelessScope`, the tensors that stand for them."""
    return [tf.convert_to_tensor(variable) for variable in variables]


def aligned(tensors, variables, wanted):
    """Picks from tensors aligned with `variables` those that stand for `wanted`, in that order."""
    by_variable = {id(variable): tensor for variable, tensor in zip(variables, tensors)}
    return [by_variable[id(variable)] for variable in wanted]


def names_of(variables):
    """Names variables so that they can be arguments: "conv1/kernel" becomes "conv1_kernel".

    Args:
        variables: list of Keras variables.

    Returns:
        A list of strings.

    Raises:
        ValueError: two would have the same name.
    """
    names = [re.sub(r"\W+", "_", variable.path) for variable in variables]
    if len(set(names)) < len(names):
        raise ValueError(f"Expected layers of different names. Received: weights {names}.")
    return names
