"""The losses of learners, per example."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfmgaug.types import Tensor

_ON_LABELS = (keras.losses.SparseCategoricalCrossentropy,)
# These take labels as distributions: they are made so, and accuracy has its meaning.
_ON_PROBABILITIES = (
    keras.losses.CategoricalCrossentropy,
    keras.losses.CategoricalFocalCrossentropy,
    keras.losses.CategoricalHinge,
)
_CROSS_ENTROPIES = (
    keras.losses.SparseCategoricalCrossentropy,
    keras.losses.CategoricalCrossentropy,
)
_ON_VALUES = (
    keras.losses.CosineSimilarity,
    keras.losses.Huber,
    keras.losses.LogCosh,
    keras.losses.MeanAbsoluteError,
    keras.losses.MeanAbsolutePercentageError,
    keras.losses.MeanSquaredError,
    keras.losses.MeanSquaredLogarithmicError,
    keras.losses.Poisson,
)
_KERAS_CALL = keras.losses.SparseCategoricalCrossentropy.call
_MEANS = ("mean", "mean_with_sample_weight", "sum_over_batch_size")
_NAMED = {
    "cross_entropy": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "mean_squared_error": keras.losses.MeanSquaredError,
}


class Mixed(NamedTuple):
    """Targets of examples each of which was mixed from two.

    Attributes:
        first: labels `[n]`, values, or targets that are mixed themselves.
        second: likewise, of what was mixed in.
        share: scalar in [0, 1], that of the first.
    """

    first: Any
    second: Any
    share: Any


def get(loss: str | keras.losses.Loss) -> keras.losses.Loss:
    """Returns the loss of a name, or checks a Keras loss.

    Args:
        loss: "cross_entropy", "mean_squared_error", or a `keras.losses.Loss`, averaged over
            examples. Keras's categorical losses classify: labels are integers, predictions have an
            accuracy. A loss of your own says by a class attribute whether it does: with
            `classification = True` its `call` takes integer labels `[n]` and logits `[n, way]`,
            with `classification = False` targets shaped like outputs. It returns `[n]`.

    Returns:
        A `keras.losses.Loss`.

    Raises:
        ValueError: the name is unknown, or the loss would mean something else than in Keras.
        TypeError: it is neither.

    Example:
        >>> class ExpectedError(keras.losses.Loss):
        ...     classification = True
        ...
        ...     def call(self, labels, logits):
        ...         labels = keras.ops.one_hot(labels, logits.shape[-1])
        ...         return 1 - keras.ops.sum(labels * keras.ops.softmax(logits), axis=-1)
    """
    if isinstance(loss, str):
        if loss not in _NAMED:
            raise ValueError(
                f"`loss` must be one of {sorted(_NAMED)} or a keras loss. Received: {loss!r}."
            )
        return _NAMED[loss]()
    if not isinstance(loss, keras.losses.Loss):
        raise TypeError(
            "`loss` must be a name or a keras.losses.Loss; to use a function, subclass "
            "keras.losses.Loss with a `call` that returns a value for each example. "
            f"Received: {loss!r}."
        )
    _refuse_what_would_mean_something_else(loss)
    return loss


def is_classification(loss: keras.losses.Loss) -> bool:
    """Whether labels are integers, so that predictions have an accuracy."""
    said = getattr(type(loss), "classification", None)
    return isinstance(loss, _ON_LABELS + _ON_PROBABILITIES) if said is None else bool(said)


def is_cross_entropy(loss: keras.losses.Loss) -> bool:
    """Whether it is the cross-entropy to the labels themselves."""
    plain = isinstance(loss, _CROSS_ENTROPIES) and type(loss).call is _KERAS_CALL
    return plain and not getattr(loss, "label_smoothing", 0)


def per_example(loss: keras.losses.Loss, targets: Tensor | Mixed, outputs: Tensor) -> Tensor:
    """Measures each example, in the precision of the outputs (at least float32).

    Args:
        loss: `keras.losses.Loss`.
        targets: labels `[n]`, values shaped like the outputs (`[n]` will do for `[n, 1]`; a loss of
            the user's own may take others), or `Mixed`. Labels mix losses, which is the
            cross-entropy to the mixed distribution; values are mixed themselves.
        outputs: `[n, outputs]`.

    Returns:
        A tensor `[n]`, whose mean is what the loss is in Keras.

    Raises:
        ValueError: targets and outputs differ in shape, or the loss has no value for each example.
    """
    if isinstance(targets, Mixed) and is_classification(loss):
        return _mix(targets, lambda labels: per_example(loss, labels, outputs))
    targets = _values(targets)
    if isinstance(loss, _ON_PROBABILITIES):
        targets = tf.one_hot(targets, tf.shape(outputs)[-1], dtype=outputs.dtype)
    elif isinstance(loss, _ON_VALUES):
        targets = _like(outputs, targets)
    elif not is_classification(loss):  # a user's own, which knows what its targets are
        targets = tf.cast(targets, outputs.dtype)
    # Loss.call leaves the precision alone; Loss.__call__ would round float64 proofs to float32.
    measured = tf.convert_to_tensor(loss.call(targets, outputs))
    if measured.shape.rank == 0:
        raise ValueError(
            "Expected a loss whose `call` returns a value for each example. "
            f"Received: {loss!r}, which returns a scalar."
        )
    inner = range(1, measured.shape.rank or 1)
    return tf.reduce_mean(measured, list(inner)) if inner else measured


def hits(labels: Tensor | Mixed, logits: Tensor) -> Tensor:
    """Returns for each example whether its highest logit is that of the label: 1 or 0, `[n]`.

    Of mixed labels it returns the share of those that it hits.
    """
    if isinstance(labels, Mixed):
        return _mix(labels, lambda labels: hits(labels, logits))
    return tf.cast(tf.equal(tf.argmax(logits, -1, labels.dtype), labels), tf.float32)


def _refuse_what_would_mean_something_else(loss):
    known = isinstance(loss, _ON_LABELS + _ON_PROBABILITIES + _ON_VALUES)
    if not known and type(loss).__module__.startswith("keras."):
        raise ValueError(
            "Expected a loss on logits with one output for each class, two classes too "
            "('cross_entropy', CategoricalFocalCrossentropy, CategoricalHinge), or one on values "
            "('mean_squared_error', Huber). "
            f"Received: {type(loss).__name__}."
        )
    if not known and getattr(type(loss), "classification", None) is None:
        raise ValueError(
            "A loss of your own needs a class attribute `classification`: True if it classifies "
            "(integer labels [n], logits [n, way]), False if it takes values. "
            f"Received: {type(loss).__name__}, which has none."
        )
    if getattr(loss, "from_logits", True) is not True:
        raise ValueError(
            "The cross-entropy must be built with `from_logits=True`: backbones return logits. "
            f"Received: {type(loss).__name__} with from_logits=False."
        )
    if loss.reduction not in _MEANS:
        raise ValueError(
            "A learner averages over examples: the loss must be built with the reduction 'mean' or "
            "'sum_over_batch_size'. For a sum over n examples, multiply the learning rates by n. "
            f"Received: {type(loss).__name__} with reduction={loss.reduction!r}."
        )
    settings = {"axis": -1, "ignore_class": None, **getattr(loss, "_fn_kwargs", {})}
    if settings["ignore_class"] is not None or settings["axis"] != -1:
        raise ValueError(
            "Expected `ignore_class=None` and `axis=-1`: every example of an episode counts, and "
            "the last axis holds the classes. To ignore examples, leave them out of the episodes. "
            "Received: "
            f"ignore_class={settings['ignore_class']}, axis={settings['axis']}."
        )
    if loss.dtype not in ("float32", "float64"):
        raise ValueError(
            "Losses are computed in float32 or better: build it with dtype='float32'. "
            f"Received: {type(loss).__name__} with dtype={loss.dtype!r}."
        )


def _like(outputs, targets):
    received, expected = tf.convert_to_tensor(targets).shape, outputs.shape
    squeezed = expected[-1:] == [1] and received.is_compatible_with(expected[:-1])
    if not (received.is_compatible_with(expected) or squeezed):
        raise ValueError(
            "Expected targets shaped like the outputs; integer labels are for losses that classify "
            f"('cross_entropy'). Received: targets {tuple(received)}, outputs {tuple(expected)}."
        )
    return tf.cast(targets, outputs.dtype)


def _values(targets):
    return _mix(targets, _values) if isinstance(targets, Mixed) else targets


def _mix(mixed, function):
    first, second = function(mixed.first), function(mixed.second)
    share = tf.cast(mixed.share, first.dtype)
    return share * first + (1 - share) * second


def at_least_float32(outputs: Tensor) -> Tensor:
    """Keeps losses out of bfloat16."""
    return tf.cast(outputs, tf.float32) if outputs.dtype.size < 4 else outputs
