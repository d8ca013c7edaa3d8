"""The penalties of weights that a backbone's layers were built with."""

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params


def descents(variables: dict[str, keras.Variable], theta: Params) -> Params:
    """Differentiates the weight penalties that layers were built with (`kernel_regularizer`, ...).

    They are a part of the outer objective, at the weights before adaptation: an outer step's
    meta-gradient gains `dR/dtheta` once, `2 w` for `keras.regularizers.L2(1)`. Inner loops and
    sub-networks don't see them, and the loss that is reported is without them.

    Args:
        variables: Keras variables by name.
        theta: their values, by name.

    Returns:
        `-dR/dtheta` by name, of the weights that have a penalty.
    """
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(theta)
        value = total(variables, theta)
    if value is None:
        return {}
    gradients = tape.gradient(value, theta)
    return {name: -gradient for name, gradient in gradients.items() if gradient is not None}


def add(gradients: Params, descents: Params) -> Params:
    """Adds the gradients of penalties, of which `descents` gives the negative."""
    # Subtracted: a chain of additions TensorFlow's graph optimizer merges into a sum in another
    # order, and not into the same one on several replicas as on one.
    return {
        name: g - tf.cast(descents[name], g.dtype) if name in descents else g
        for name, g in gradients.items()
    }


def total(variables: dict[str, keras.Variable], theta: Params) -> tf.Tensor | None:
    """Adds up the weight penalties; None where no variable has any."""
    penalties = [
        variable.regularizer(theta[name])
        for name, variable in variables.items()
        if variable.regularizer is not None
    ]
    return sum(penalties) if penalties else None
