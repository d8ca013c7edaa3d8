"""Examples and targets handed in by a user, as arrays that fit the network."""

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.data.pixels import check_pixels, takes_raw_pixels
from tfmgaug.types import ArrayLike, Learner, Shape


def read_examples(learner: Learner, name: str, x: ArrayLike) -> tf.Tensor:
    """Reads examples of one task.

    Images of another size than the network was made for are resized, as the export does.

    Args:
        learner: `MetaLearner`.
        name: of the argument.
        x: `[n, ...]`.

    Returns:
        An array `[n, *learner.image_shape]`.

    Raises:
        ValueError: it is no array of numbers, a number is not finite, or the shape is another one.
    """
    x = _as_numbers(name, x)
    expected = learner.image_shape
    images = len(expected) == 3
    fixed = [None, None, expected[2]] if images else expected
    fits = x.ndim == len(expected) + 1 and 0 not in x.shape[1:]
    if not fits or any(size not in (None, r) for size, r in zip(fixed, x.shape[1:])):
        or_size = ", or of another height and width" if images else ""
        hint = " A single example is a batch of one: x[None]." if x.ndim == len(expected) else ""
        raise ValueError(
            f"Expected `{name}` of shape {('n', *expected)}{or_size}. Received: {x.shape}.{hint}"
        )
    check_pixels(x, name, raw=takes_raw_pixels(learner.backbone), stacklevel=4)
    if not images:
        return x
    height, width = (fixed or received for fixed, received in zip(expected[:2], x.shape[1:3]))
    return sized(x, (height, width)).numpy() if (height, width) != x.shape[1:3] else x


def sized(images: tf.Tensor, size: tuple[int | None, int | None]) -> tf.Tensor:
    """Resizes images: bilinear, antialiased, aspect ratio not kept.

    Args:
        images: `[n, height, width, channels]`.
        size: the new height and width.

    Returns:
        A float32 tensor.
    """
    return tf.image.resize(images, size, antialias=True)


def read_targets(learner: Learner, name: str, y: ArrayLike) -> tf.Tensor:
    """Reads regression targets; `[n]` becomes `[n, 1]`, and nothing else is reshaped.

    Args:
        learner: `MetaLearner`.
        name: of the argument.
        y: `[n, *outputs]`, shaped like what the backbone puts out.

    Returns:
        An array of this shape, in the precision of the outputs.

    Raises:
        ValueError: it is no array of numbers, a number is not finite, or the shape is another one.
    """
    double = learner.backbone.outputs[0].dtype == "float64"
    y = _as_numbers(name, y).astype("float64" if double else "float32")
    if y.ndim == 1 and len(learner.backbone.output_shape) == 2:
        y = y[:, None]
    check_targets(learner, name, y.shape[1:])
    check_finite(name, y)
    return y


def check_targets(learner: Learner, name: str, shape: Shape) -> None:
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


def check_finite(name: str, array: ArrayLike) -> None:
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
