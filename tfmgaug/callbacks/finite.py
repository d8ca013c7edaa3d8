"""A stop of training that diverges, with the likely reason."""

import math

import keras
import tensorflow as tf

from tfmgaug.types import Logs


class NonFiniteError(ValueError):
    """The loss or a weight is NaN or infinite."""


class FiniteLoss(keras.callbacks.Callback):
    """Stops training with an error at the first outer step whose loss is not finite.

    Raises:
        NonFiniteError: from `fit`. Checkpoints written before are not touched.

    Example:
        >>> learner.fit(..., callbacks=[FiniteLoss(), Checkpoint("runs/first")])
    """

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        for name in ("loss", "loss_before"):
            value = float((logs or {}).get(name, 0.0))
            if not math.isfinite(value):
                raise NonFiniteError(_message(f"{name} became {value}", self.model))


def check_weights(learner: keras.Model) -> None:
    """Refuses a learner whose meta-variables are not all finite.

    Raises:
        NonFiniteError: naming the first variable that is not.
    """
    for variable in learner.meta_variables:
        if not tf.reduce_all(tf.math.is_finite(tf.convert_to_tensor(variable))):
            raise NonFiniteError(_message(f"{variable.path} is not finite", learner))


def outer_step(learner: keras.Model) -> int:
    """The learner's step as a number, under a distribution strategy too."""
    # int() fails on a mirrored variable.
    return int(tf.convert_to_tensor(learner.step))


def _message(what: str, learner) -> str:
    return (
        f"Training diverged: {what} at outer step {outer_step(learner)}. Resume from the last "
        "checkpoint, or start again, with a lower outer learning rate, a lower inner learning "
        "rate or fewer inner steps, with clipped meta-gradients (the optimizer's `clipnorm`), or "
        "in float32 if the policy is mixed. Also check the inputs for NaN."
    )
