"""GradDrop: dropout of inner gradients."""

from collections.abc import Sequence
from typing import Literal

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.randomness import fold, normal, uniform
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner

_DISTRIBUTIONS = ("binary", "gaussian")


@keras.saving.register_keras_serializable("tfmgaug")
class GradDrop(Regularizer):
    """Gradient dropout in the inner loop.

    `theta' = theta - alpha * n * dL_support/dtheta`, with a noise of its own for every entry, inner
    step and task: `n = 1[u > p] / (1 - p)` with `u` uniform (binary), or `n ~ N(1, p / (1 - p))`
    (gaussian; the same mean and variance).

    Args:
        rate: float in [0, 1), p, share of the inner gradients dropped. The authors recommend 0.1 to
            0.2.
        distribution: of its noise: "binary" or "gaussian".
        ramp_steps: int >= 0, the outer steps in which noise grows linearly from none to that of
            `rate`, where it stays (the authors' "linear" schedule); 0: it is there from the start
            ("constant"). Binary noise ramps p, Gaussian noise its deviation `sqrt(p / (1 - p))`.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: an argument is out of range, or the learner has no inner steps.

    Example:
        >>> FOMAML(backbone, regularizers=[GradDrop(0.1, ramp_steps=1000)])

    Reference:
        Tseng et al., 2020, https://arxiv.org/abs/2004.05859. (The ramps are those of the authors'
        code, whose first version took p itself for the Gaussian's standard deviation.)
    """

    def __init__(
        self,
        rate: float = 0.1,
        distribution: Literal["binary", "gaussian"] = "binary",
        ramp_steps: int = 0,
        subnetworks: bool = False,
    ) -> None:
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be at least 0 and below 1. Received: rate={rate}.")
        if distribution not in _DISTRIBUTIONS:
            raise ValueError(
                f"`distribution` must be one of {_DISTRIBUTIONS}. Received: {distribution!r}."
            )
        if ramp_steps < 0:
            raise ValueError(f"`ramp_steps` must not be negative. Received: {ramp_steps}.")
        super().__init__(subnetworks)
        self.rate = rate
        self.distribution = distribution
        self.ramp_steps = ramp_steps

    def attach(self, learner: Learner) -> None:
        if learner.inner_steps == 0:
            raise ValueError(
                "GradDrop drops inner gradients, and a learner without inner steps has none. "
                f"Received: {type(learner).__name__}. (A learner of your own must set "
                "`inner_steps` before `super().__init__`.)"
            )

    def inner_gradients(self, gradients: Params, key: tf.Tensor, step: tf.Tensor) -> Params:
        factors = self.draw(gradients, self._rate_at(step), key)
        return {name: gradient * factors[name] for name, gradient in gradients.items()}

    def draw(self, gradients: Params, rate: tf.Tensor, key: tf.Tensor) -> Params:
        """Draws what an inner step's gradients are multiplied by; override it to give your own.

        Args:
            gradients: of the weights that adapt, by name.
            rate: float64 scalar, p at this outer step.
            key: stateless key, `[2]`: `fold(learner.task_key(episode), s, "gradients", i)` in inner
                step s of the full network, of the i-th regularizer.

        Returns:
            A dictionary like `gradients`.
        """
        noise = _binary if self.distribution == "binary" else _gaussian
        return {
            name: noise(gradient.shape, fold(key, place), tf.cast(rate, gradient.dtype))
            for place, (name, gradient) in enumerate(gradients.items())
        }

    def _rate_at(self, step: tf.Tensor) -> tf.Tensor:
        rate = tf.constant(self.rate, tf.float64)
        if not self.ramp_steps:
            return rate
        share = tf.minimum(step / self.ramp_steps, 1)
        if self.distribution == "binary":
            return rate * share
        # The rate whose deviation is this share of the last: q / (1 - q) = share^2 p / (1 - p).
        return rate * share**2 / (1 - rate * (1 - share**2))


def _binary(shape: Sequence[int], key: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    kept = uniform(shape, key, rate.dtype) >= rate  # of [0, 1): at rate 0, all are kept
    return tf.where(kept, 1 / (1 - rate), 0)


def _gaussian(shape: Sequence[int], key: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    return 1 + tf.sqrt(rate / (1 - rate)) * normal(shape, key, rate.dtype)
