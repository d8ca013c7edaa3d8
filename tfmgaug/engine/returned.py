"""Checks of what a method or a regularizer returns, where the engine takes it in.

Whoever writes one of them makes mistakes that TensorFlow would report from far away.
"""

from typing import Any

import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.episode import Episode
from tfmgaug.types import Method


def require_override(instance: Any, method: str, base: type) -> None:
    """Refuses an object whose class doesn't write a method that it must.

    Args:
        instance: the object.
        method: name of the method.
        base: the class that declares the method.

    Raises:
        TypeError: the method is the base's.
    """
    if getattr(type(instance), method) is getattr(base, method):
        raise TypeError(
            f"{type(instance).__name__} must have a method `{method}`, as {base.__name__} "
            "describes it. Received: a class without, or with another spelling."
        )


def params(owner: Any, method: str, value: Any) -> Params:
    """Refuses what is no dictionary of named tensors.

    Args:
        owner: the learner or regularizer.
        method: name of its method.
        value: what the method returned.

    Returns:
        The value.

    Raises:
        TypeError: it is no dictionary from names.
    """
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise TypeError(
            f"`{_called(owner, method)}` must return a dictionary from names to tensors. "
            f"Received: {value!r}."
        )
    return value


def logits(learner: Method, value: Any, state: Params) -> tf.Tensor:
    """Refuses logits that are not `[n, way]`.

    Args:
        learner: `MetaLearner`.
        value: what its `read_out` returned.
        state: from `adapt_state`, whose "classes" has the number of ways.

    Returns:
        The value.

    Raises:
        ValueError: it has another shape.
    """
    way = state["classes"].shape[0] if "classes" in state else None
    expected = tf.TensorShape([None, way])
    shape = getattr(value, "shape", None)
    if learner.classification and not expected.is_compatible_with(shape):
        raise ValueError(
            f"`{_called(learner, 'read_out')}` must return logits [n, way]. "
            f"Expected the shape {expected}. Received: {shape}."
        )
    return value


def statistics(learner: Method, state: Params) -> Params:
    """Picks the support set's statistics of normalization out of a state.

    Args:
        learner: `MetaLearner`.
        state: from its `adapt_state`.

    Raises:
        ValueError: it lacks some.
    """
    names = learner.network.statistics_variables
    missing = [name for name in names if name not in state]
    if missing:
        raise ValueError(
            f"With statistics='support', `{_called(learner, 'adapt_state')}` must add the "
            "statistics of the support set to the state: the second value that "
            f"`self.network(...)` returns. Received: a state without {', '.join(missing)}."
        )
    return {name: state[name] for name in names}


def penalty(regularizer: Any, value: Any, like: tf.Tensor) -> tf.Tensor:
    """Refuses a penalty that is no scalar.

    Args:
        regularizer: with the method `penalty`.
        value: what the method returned.
        like: the loss that it is added to.

    Returns:
        The value, in the type of the loss.

    Raises:
        ValueError: it is something else.
    """
    shape = tf.TensorShape(None) if value is None else tf.convert_to_tensor(value).shape
    if value is None or shape.rank not in (0, None):
        raise ValueError(
            f"`{_called(regularizer, 'penalty')}` must return a scalar: take the mean or the sum. "
            f"Received: {'None' if value is None else f'a tensor of shape {shape}'}."
        )
    return tf.cast(value, like.dtype)


def activations(regularizer: Any, place: str, value: Any, x: tf.Tensor) -> tf.Tensor:
    """Refuses activations of another shape.

    Args:
        regularizer: with the method `activations` or `class_activations`.
        place: the layer that handed them on.
        value: what the method returned.
        x: the activations that it was given.

    Returns:
        The value.

    Raises:
        ValueError: the shape is another one.
    """
    shape = getattr(value, "shape", None)
    if shape is None or not x.shape.is_compatible_with(shape):
        raise ValueError(
            f"{type(regularizer).__name__} must return activations behind {place!r} shaped like "
            f"those that it is given, {x.shape}. Received: {shape}."
        )
    return value


def episode(regularizer: Any, value: Any) -> Episode:
    """Refuses what is no `Episode`, or has other numbers of examples than of labels.

    Args:
        regularizer: with the method `episode`.
        value: what the method returned.

    Returns:
        The value.

    Raises:
        TypeError: it is no `Episode`.
        ValueError: numbers differ.
    """
    called = _called(regularizer, "episode")
    if not isinstance(value, Episode):
        raise TypeError(
            f"`{called}` must return an Episode: `episode._replace(support_x=...)`. "
            f"Received: {type(value).__name__}."
        )
    examples = value.support_x.shape[:1]
    labels = getattr(value.support_y, "shape", examples)[:1]  # mixed labels have no shape
    if not examples.is_compatible_with(labels):
        raise ValueError(
            f"`{called}` must return as many labels as examples. "
            f"Received: {examples[0]} support examples and {labels[0]} labels."
        )
    return value


def _called(owner, method):
    return f"{type(owner).__name__}.{method}"
