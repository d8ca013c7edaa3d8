"""The context of a network: its sub-network, its statistics, its perturbation."""

import dataclasses
from collections.abc import Callable

import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.engine.params import Params
from tfmgaug.engine.perturbation import Perturbation


def identity(params: Params) -> Params:
    """Returns the parameters as they are."""
    return params


@dataclasses.dataclass(frozen=True)
class Context:
    """How the network of one task is run; the default is evaluation of the full network.

    Attributes:
        weight_transform: function from weights to the weights of a sub-network, the last one of
            every forward pass; by default the identity.
        statistics: which statistics normalize queries; see `tfmgaug.batch_statistics.check_mode`.
        perturbation: what regularizers do to weights, activations and inner gradients; by default
            nothing.
        training: whether the task is trained on.
        key: stateless key, `[2]`, of the draws for this network at this outer step; None in
            evaluation, where nothing is drawn.
        task_key: the same for the task, alike for its full network and its sub-networks.
        support: the pair (support_x, support_y) of the task whose initial state is asked for; see
            `starting_from`.
    """

    weight_transform: Callable[[Params], Params] = identity
    statistics: str = batch_statistics.TRANSDUCTIVE
    perturbation: Perturbation = dataclasses.field(default_factory=Perturbation)
    training: bool = False
    key: tf.Tensor | None = None
    task_key: tf.Tensor | None = None
    support: tuple[tf.Tensor, tf.Tensor] | None = None

    @property
    def prunes(self) -> bool:
        """Whether the network is a sub-network."""
        return self.weight_transform is not identity

    def starting_from(self, support_x: tf.Tensor, support_y: tf.Tensor) -> "Context":
        """Returns the context in which a task starts: that of its initial state.

        Args:
            support_x: inputs of the task, `[n, ...]`.
            support_y: labels or targets, `[n, ...]`.
        """
        return dataclasses.replace(self, support=(support_x, support_y))

    def at(self, *moment: str | int | tf.Tensor, labels: tf.Tensor | None = None) -> "Context":
        """Returns the context of one forward pass, whose perturbation is that of this moment.

        Args:
            *moment: names and numbers that no other pass over the task has.
            labels: labels or targets of the examples, for what goes by class.
        """
        perturbation = self.perturbation.at(*moment, labels=labels)
        return dataclasses.replace(self, perturbation=perturbation)

    def inner_gradients(self, gradients: Params, step: int | tf.Tensor) -> Params:
        """Perturbs the gradients of an inner step: what `descend` takes as `on_gradients`.

        Args:
            gradients: of the weights that adapt, by name.
            step: the number of the inner step.
        """
        return self.perturbation.at(step).inner_gradients(gradients)
