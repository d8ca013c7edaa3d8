"""The random perturbations of one task in training, for whoever calls its network."""

from tfmgaug.randomness import fold


class Noise:
    """What regularizers do to the weights, activations and inner gradients of one task.

    Args:
        regularizers: list of `Regularizer`.
        key: stateless key, `[2]`, of the task, or of a moment in it.
        step: int64 scalar, the outer step.
        task_key: stateless key, `[2]`, of the task; None: `key`.
        labels: of the examples of this pass, or None.

    Attributes:
        clean: dictionary from places to the activations there, before noise.
    """

    def __init__(self, regularizers, key, step, task_key=None, labels=None):
        self._regularizers = regularizers
        self._key = key
        self._step = step
        self._task_key = key if task_key is None else task_key
        self._labels = labels
        self.clean = {}

    def at(self, *moment, labels=None):
        """Returns the noise of a moment: names and numbers that no other forward pass has."""
        key = fold(self._key, *moment)
        return Noise(self._regularizers, key, self._step, self._task_key, labels)

    def weights(self, weights):
        """Perturbs a list of weights for one forward pass."""
        for number, regularizer in enumerate(self._regularizers):
            if regularizer.overrides("weights"):
                weights = regularizer.weights(weights, fold(self._key, "weights", number))
        return weights

    @property
    def places(self):
        """The names of layers behind which activations are perturbed."""
        found = (place for one in self._regularizers for place in (*one.places, *one.class_places))
        return tuple(sorted(set(found)))

    def activations(self, x, place):
        """Perturbs the activations behind a layer."""
        self.clean[place] = x
        for number, regularizer in enumerate(self._regularizers):
            if place in regularizer.places:
                own_key = fold(self._key, "activations", number)
                x = regularizer.activations(x, place, own_key, self._step)
            if place in regularizer.class_places:
                x = regularizer.class_activations(x, place, self._labels, self._task_key)
        return x

    def inner_gradients(self, gradients):
        """Perturbs the gradients of one inner step."""
        for number, regularizer in enumerate(self._regularizers):
            if regularizer.overrides("inner_gradients"):
                key = fold(self._key, "gradients", number)
                gradients = regularizer.inner_gradients(gradients, key, self._step)
        return gradients
