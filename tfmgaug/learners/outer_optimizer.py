"""Checks of what a learner is compiled with."""

from typing import Any

import keras
import tensorflow as tf

_CLIPPING = ("clipnorm", "clipvalue", "global_clipnorm")


def refuse_arguments(unsupported: dict[str, Any]) -> None:
    """Refuses arguments of Keras's `compile` that a learner has no use for.

    Args:
        unsupported: the arguments by name.

    Raises:
        ValueError: one of them asks for something.
    """
    received = sorted(name for name, value in unsupported.items() if value and value != "auto")
    if received:
        raise ValueError(
            "`compile` takes `optimizer`, `steps_per_execution` and `run_eagerly`: the loss is "
            "a constructor argument, metrics are built in, and XLA gets second-order gradients "
            f"of max pooling wrong. Received: {', '.join(received)}."
        )


def check(optimizer: keras.optimizers.Optimizer | None) -> None:
    """Refuses an optimizer that would not do what it says.

    Args:
        optimizer: Keras optimizer, or None.

    Raises:
        ValueError: there is none, it divides gradients by a scale that nothing multiplied the loss
            by, or it clips gradients of several replicas.
    """
    if optimizer is None:
        raise ValueError("`compile` needs an optimizer for the outer loop. Received: None.")
    parts = [optimizer, *getattr(optimizer, "optimizers", [])]  # those of a MultiOptimizer
    for part in parts:
        _refuse_scaling(part)
    number = tf.distribute.get_strategy().num_replicas_in_sync
    clipping = [n for part in parts for n in _CLIPPING if getattr(part, n, None) is not None]
    if number > 1 and clipping:
        raise ValueError(
            "Keras clips each replica's gradient before adding them up, which is not the clipped "
            f"meta-gradient. Clip on one device. Received: {clipping} with {number} replicas."
        )


def _refuse_scaling(optimizer):
    scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    factor = None if scales else getattr(optimizer, "loss_scale_factor", None)
    if scales or factor is not None:
        raise ValueError(
            "An optimizer that divides gradients by the scale of a loss takes steps too small: "
            "learners scale no loss, and have no float16 to scale it for. Use the optimizer "
            f"without. Received: {type(optimizer).__name__}"
            f"{'' if scales else f' with loss_scale_factor={factor}'}."
        )
