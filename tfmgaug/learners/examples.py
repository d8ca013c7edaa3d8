"""Examples and targets that a user hands to a learner, as arrays that fit its network."""

import keras
import numpy as np
import tensorflow as tf


def read_examples(learner, name, x):
    """Reads examples of one task; images of another size are resized, as the export does.

    Args:
        learner: `MetaLearner`.
        name: of the argument.
        x: `[n, ...]`.

    Returns:
        An array `[n, *learner.example_shape]`.

    Raises:
        ValueError: it is no array of numbers, a number is not finite, or the shape is another one.
    """
    x = _as_numbers(name, x)
    expected = learner.example_shape
    images = len(expected) == 3 and x.ndim == 4
    sizes = zip(expected[2:] if images else expected, x.shape[3:] if images else x.shape[1:])
    if x.ndim != len(expected) + 1 or any(e not in (None, r) for e, r in sizes) or 0 in x.shape[1:]:
        hint = " A single example is a batch of one: x[None]." if x.ndim == len(expected) else ""
        raise ValueError(
            f"Expected `{name}` of shape {('n', *expected)}{', any size' if images else ''}. "
            f"Received: {x.shape}.{hint}"
        )
    check_finite(name, x)
    if not images or all(e in (None, r) for e, r in zip(expected[:2], x.shape[1:3])):
        return x
    return sized(x, [e or r for e, r in zip(expected[:2], x.shape[1:3])]).numpy()


def sized(images, size):
    """Resizes images: bilinear, antialiased, aspect ratio not kept.

    Args:
        images: `[n, height, width, channels]`.
        size: the new height and width.

    Returns:
        A float32 tensor.
    """
    return tf.image.resize(images, size, antialias=True)


def read_targets(learner, name, y):
    """Reads regression targets; `[n]` becomes `[n, 1]`, and nothing else is reshaped.

    Args:
        learner: `MetaLearner`.
        name: of the argument.
        y: `[n, *outputs]`, shaped like what the backbone puts out.

    Returns:
        An array of this shape.

    Raises:
        ValueError: it is no array of numbers, a number is not finite, or the shape is another one.
    """
    y = _as_numbers(name, y)
    if y.ndim == 1 and len(learner.backbone.output_shape) == 2:
        y = y[:, None]
    check_targets(learner, name, y.shape[1:])
    check_finite(name, y)
    return y


def check_targets(learner, name, shape):
    """Refuses targets that Keras would broadcast against the outputs.

    Args:
        learner: `MetaLearner` of a regression.
        name: of the argument.
        shape: of one target.

    Raises:
        ValueError: it is not that of one output. (A loss of the user's own may take other targets.)
    """
    if not type(learner.loss_fn).__module__.startswith(keras.losses.Loss.__module__.split(".")[0]):
        return
    outputs = learner.backbone.output_shape[1:]
    if not tf.TensorShape(shape).is_compatible_with(outputs):
        raise ValueError(
            f"Expected `{name}` of shape {('n', *outputs)}, as the backbone's outputs"
            f"{', or [n]' if outputs == (1,) else ''}. Received: {('n', *shape)}."
        )


def check_finite(name, array):
    """Refuses NaN and infinity, which ReLU and pooling would swallow.

    Args:
        name: of the argument.
        array: of numbers.

    Raises:
        ValueError: there is one.
    """
    if np.issubdtype(array.dtype, np.inexact) and not np.isfinite(array).all():
        rows = np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(axis=1))
        raise ValueError(
            f"Expected finite numbers in `{name}`. Received: NaN or infinity in {len(rows)} of "
            f"{len(array)} examples, the first of which is number {rows[0]}."
        )


def _as_numbers(name, values):
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty([], object)  # a list of arrays of other shapes
    if not (np.issubdtype(array.dtype, np.number) or array.dtype.name in ("bool", "bfloat16")):
        raise ValueError(
            f"Expected `{name}` as one array of numbers, examples of one shape. "
            f"Received: {type(values).__name__} of {array.dtype.name}s or of several shapes."
        )
    return array
