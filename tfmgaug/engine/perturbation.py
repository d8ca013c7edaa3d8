"""The random perturbations of one task in training."""

from collections.abc import Sequence

import tensorflow as tf

from tfmgaug.engine import returned
from tfmgaug.engine.hooks import (
    PerturbsActivations,
    PerturbsClassActivations,
    PerturbsInnerGradients,
    PerturbsWeights,
    having,
)
from tfmgaug.engine.params import Params
from tfmgaug.randomness import fold


class Perturbation:
    """What regularizers do to the weights, activations and inner gradients of one task.

    Without regularizers, it changes nothing.

    Args:
        regularizers: list of `tfmgaug.regularizers.Regularizer`.
        key: stateless key, `[2]`, of the task, or of a moment in it.
        step: int64 scalar, the outer step.
        task_key: stateless key, `[2]`, of the task; None: `key`.
        labels: labels or targets of the examples of this pass, or None.

    Attributes:
        clean: dictionary from the names of layers to the activations there, before perturbation.
    """

    def __init__(
        self,
        regularizers: Sequence = (),
        key: tf.Tensor | None = None,
        step: tf.Tensor | None = None,
        task_key: tf.Tensor | None = None,
        labels: tf.Tensor | None = None,
    ) -> None:
        self._regularizers = regularizers
        self._key = key
        self._step = step
        self._task_key = key if task_key is None else task_key
        self._labels = labels
        self.clean = {}

    def at(self, *moment: str | int | tf.Tensor, labels: tf.Tensor | None = None) -> "Perturbation":
        """Returns the perturbation of a moment: names and numbers that no other pass has."""
        if not self._regularizers:
            return self
        key = fold(self._key, *moment)
        return Perturbation(self._regularizers, key, self._step, self._task_key, labels)

    def weights(self, params: Params) -> Params:
        """Perturbs the weights of one forward pass."""
        for number, regularizer in enumerate(self._regularizers):
            if isinstance(regularizer, PerturbsWeights):
                params = regularizer.weights(params, fold(self._key, "weights", number))
        return params

    @property
    def places(self) -> tuple[str, ...]:
        """The names of layers behind which activations are perturbed."""
        acting = self._regularizers
        places = [regularizer.places for regularizer in having(PerturbsActivations, acting)]
        places += [
            regularizer.class_places for regularizer in having(PerturbsClassActivations, acting)
        ]
        return tuple(sorted({place for group in places for place in group}))

    def activations(self, x: tf.Tensor, place: str) -> tf.Tensor:
        """Perturbs the activations behind a layer."""
        self.clean[place] = x
        for number, regularizer in enumerate(self._regularizers):
            if place in getattr(regularizer, "places", ()):
                key = fold(self._key, "activations", number)
                changed = regularizer.activations(x, place, key, self._step)
                x = returned.activations(regularizer, place, changed, x)
            if place in getattr(regularizer, "class_places", ()):
                changed = regularizer.class_activations(x, place, self._labels, self._task_key)
                x = returned.activations(regularizer, place, changed, x)
        return x

    def inner_gradients(self, gradients: Params) -> Params:
        """Perturbs the gradients of one inner step."""
        for number, regularizer in enumerate(self._regularizers):
            if isinstance(regularizer, PerturbsInnerGradients):
                key = fold(self._key, "gradients", number)
                gradients = regularizer.inner_gradients(gradients, key, self._step)
        return gradients
