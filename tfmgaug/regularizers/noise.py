"""The random perturbations of one task in training, for whoever calls its network."""

from tfmgaug.randomness import fold


class Noise:
    """What regularizers do to the weights and inner gradients of one task.

    Args:
        regularizers: list of `Regularizer`.
        key: stateless key, `[2]`, of the task, or of a moment in it.
        step: int64 scalar, the outer step.
    """

    def __init__(self, regularizers, key, step):
        self._regularizers = regularizers
        self._key = key
        self._step = step

    def at(self, *moment):
        """Returns the noise of a moment: names and numbers that no other forward pass has."""
        return Noise(self._regularizers, fold(self._key, *moment), self._step)

    def weights(self, weights):
        """Perturbs a list of weights for one forward pass."""
        for number, regularizer in enumerate(self._regularizers):
            if regularizer.overrides("weights"):
                weights = regularizer.weights(weights, fold(self._key, "weights", number))
        return weights

    def inner_gradients(self, gradients):
        """Perturbs the gradients of one inner step."""
        for number, regularizer in enumerate(self._regularizers):
            if regularizer.overrides("inner_gradients"):
                key = fold(self._key, "gradients", number)
                gradients = regularizer.inner_gradients(gradients, key, self._step)
        return gradients
