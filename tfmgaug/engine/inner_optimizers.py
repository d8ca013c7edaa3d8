"""Optimizers of the inner loop: pure rules from tensors to tensors, nothing is assigned."""

import keras
import tensorflow as tf

from tfmgaug.configured import Configured
from tfmgaug.engine.params import Params


class InnerOptimizer(Configured):
    """What an inner step makes of gradients.

    Everything it remembers from one step to the next is in its slots, tensors by name.
    """

    def start(self, params: Params) -> Params:
        """Returns the slots before the first step.

        Args:
            params: the weights that adapt, by name.
        """
        return {}

    def update(
        self, params: Params, gradients: Params, learning_rates: dict, slots: Params
    ) -> tuple[Params, Params]:
        """Takes one step.

        Args:
            params: the weights that adapt, by name.
            gradients: by the same names.
            learning_rates: by the same names: numbers, scalars or tensors shaped like the weight.
            slots: from `start` or from the last step.

        Returns:
            The new weights and the new slots.
        """
        raise NotImplementedError


@keras.saving.register_keras_serializable("tfmgaug.inner")
class SGD(InnerOptimizer):
    """Gradient descent: `w <- w - rate * v` with `v <- momentum * v + g`.

    Args:
        momentum: float in [0, 1), momentum of inner gradient descent; 0: `v` is the gradient, and
            there are no slots.

    Raises:
        ValueError: the momentum is out of range.

    Example:
        >>> Reptile(backbone, inner_optimizer=SGD(), inner_learning_rate=0.01)
    """

    def __init__(self, momentum: float = 0.0) -> None:
        self.momentum = _share("momentum", momentum)

    def start(self, params: Params) -> Params:
        return _zeros("velocity", params) if self.momentum else {}

    def update(
        self, params: Params, gradients: Params, learning_rates: dict, slots: Params
    ) -> tuple[Params, Params]:
        if self.momentum:
            gradients = {
                name: self.momentum * slots[_slot("velocity", name)] + gradient
                for name, gradient in gradients.items()
            }
            slots = {_slot("velocity", name): velocity for name, velocity in gradients.items()}
        moved = {n: w - learning_rates[n] * gradients[n] for n, w in params.items()}
        return moved, dict(slots)


@keras.saving.register_keras_serializable("tfmgaug.inner")
class Adam(InnerOptimizer):
    """Adam, for first-order learners: its square root has no gradient at zero.

    `m <- b1 m + (1 - b1) g`, `v <- b2 v + (1 - b2) g^2`,
    `w <- w - rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + epsilon)` in the t-th step.

    Args:
        beta_1: float in [0, 1), b1, decay of the gradient's average; 0: `m` is the gradient, and
            has no slot.
        beta_2: float in [0, 1), b2, decay of the squared gradient's average.
        epsilon: float > 0, added to the denominator. (Multiplying the loss by c is dividing this by
            c.)

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> Reptile(backbone, inner_optimizer=Adam(beta_1=0.0), inner_learning_rate=1e-3)

    Reference:
        Kingma, Ba, 2015, https://arxiv.org/abs/1412.6980, Section 2, in its last form.
    """

    def __init__(self, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8) -> None:
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}.")
        self.beta_1 = _share("beta_1", beta_1)
        self.beta_2 = _share("beta_2", beta_2)
        self.epsilon = epsilon

    def start(self, params: Params) -> Params:
        # Powers of the betas, which need no count of steps: 1 before the first.
        dtype = next(iter(params.values())).dtype
        powers = {name: tf.ones([], dtype) for name in ("beta_1_power", "beta_2_power")}
        first = _zeros("first_moment", params) if self.beta_1 else {}
        return {**powers, **_zeros("second_moment", params), **first}

    def update(
        self, params: Params, gradients: Params, learning_rates: dict, slots: Params
    ) -> tuple[Params, Params]:
        powers = {
            "beta_1_power": self.beta_1 * slots["beta_1_power"],
            "beta_2_power": self.beta_2 * slots["beta_2_power"],
        }
        second = {
            name: _blend(slots[_slot("second_moment", name)], gradient * gradient, self.beta_2)
            for name, gradient in gradients.items()
        }
        first = {}
        if self.beta_1:
            gradients = first = {
                name: _blend(slots[_slot("first_moment", name)], gradient, self.beta_1)
                for name, gradient in gradients.items()
            }
        correction = tf.sqrt(1 - powers["beta_2_power"]) / (1 - powers["beta_1_power"])
        moved = {
            name: weight
            - learning_rates[name]
            * correction
            * gradients[name]
            / (tf.sqrt(second[name]) + self.epsilon)
            for name, weight in params.items()
        }
        return moved, {
            **powers,
            **{_slot("second_moment", name): moment for name, moment in second.items()},
            **{_slot("first_moment", name): moment for name, moment in first.items()},
        }


def _slot(kind, name):
    return f"{kind}_{name}"


def _zeros(kind, params):
    return {_slot(kind, name): tf.zeros_like(weight) for name, weight in params.items()}


def _blend(old, new, share):
    return share * old + (1 - share) * new


def _share(name, value):
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must be at least 0 and below 1. Received: {name}={value}.")
    return float(value)
