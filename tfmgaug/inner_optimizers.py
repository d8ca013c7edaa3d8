"""Optimizers of the inner loop: pure rules from tensors to tensors, nothing is assigned."""

import keras
import tensorflow as tf

from tfmgaug.configured import Configured


class InnerOptimizer(Configured):
    """What an inner step makes of gradients.

    Everything it remembers from one step to the next is in its slots, a list of tensors.
    """

    def start(self, weights):
        """Returns the slots before the first step.

        Args:
            weights: list of tensors.
        """
        return []

    def update(self, weights, gradients, learning_rates, slots):
        """Takes one step.

        Args:
            weights: list of tensors.
            gradients: list like `weights`.
            learning_rates: list of the same length: numbers, scalars or tensors shaped like the
                weight.
            slots: list of tensors, from `start` or from the last step.

        Returns:
            The new weights and the new slots, two lists.
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

    def __init__(self, momentum=0.0):
        self.momentum = _share("momentum", momentum)

    def start(self, weights):
        return [tf.zeros_like(w) for w in weights] if self.momentum else []

    def update(self, weights, gradients, learning_rates, slots):
        if self.momentum:
            gradients = slots = [self.momentum * v + g for v, g in zip(slots, gradients)]
        return [w - r * g for w, r, g in zip(weights, learning_rates, gradients)], list(slots)


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

    def __init__(self, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
        if not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}.")
        self.beta_1 = _share("beta_1", beta_1)
        self.beta_2 = _share("beta_2", beta_2)
        self.epsilon = epsilon

    def start(self, weights):
        # Powers of the betas, which need no count of steps: 1 before the first.
        powers = [tf.ones([], weights[0].dtype) for _ in range(2)]
        moments = 2 if self.beta_1 else 1
        return powers + [tf.zeros_like(w) for _ in range(moments) for w in weights]

    def update(self, weights, gradients, learning_rates, slots):
        powers = [beta * power for beta, power in zip((self.beta_1, self.beta_2), slots)]
        second, first = slots[2 : 2 + len(weights)], slots[2 + len(weights) :]
        second = [_blend(v, g * g, self.beta_2) for v, g in zip(second, gradients)]
        if self.beta_1:
            gradients = first = [_blend(m, g, self.beta_1) for m, g in zip(first, gradients)]
        correction = tf.sqrt(1 - powers[1]) / (1 - powers[0])
        weights = [
            w - r * correction * m / (tf.sqrt(v) + self.epsilon)
            for w, r, m, v in zip(weights, learning_rates, gradients, second)
        ]
        return weights, powers + second + first


def _blend(old, new, share):
    return share * old + (1 - share) * new


def _share(name, value):
    if not 0 <= value < 1:
        raise ValueError(f"`{name}` must be at least 0 and below 1. Received: {name}={value}.")
    return float(value)
