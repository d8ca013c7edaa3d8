"""The protocols by which regularizers take part in the training of a task.

A regularizer has the methods of one or two of them. What no regularizer has is not computed.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, runtime_checkable

import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.episode import Episode, Outcome


@runtime_checkable
class ChangesEpisode(Protocol):
    """Changes the task that is trained on."""

    def episode(
        self, episode: Episode, key: tf.Tensor, loss_of: Callable[[Episode], tf.Tensor]
    ) -> Episode:
        """Changes the task.

        Args:
            episode: `Episode` of one task.
            key: stateless key, `[2]`.
            loss_of: function from an `Episode` to its query loss after adaptation.

        Returns:
            An `Episode`.
        """


@runtime_checkable
class PerturbsWeights(Protocol):
    """Changes the weights of every forward pass."""

    def weights(self, params: Params, key: tf.Tensor) -> Params:
        """Changes the weights of one forward pass, before masks do.

        Args:
            params: the network's weights, by name.
            key: stateless key, `[2]`, of this pass.

        Returns:
            A dictionary like `params`.
        """


@runtime_checkable
class PerturbsActivations(Protocol):
    """Changes what layers hand on.

    Attributes:
        places: names of the backbone's layers behind which it acts; `attach` may choose them.
    """

    places: tuple[str, ...]

    def activations(self, x: tf.Tensor, place: str, key: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        """Changes what a layer hands on in one forward pass.

        Args:
            x: `[n, ...]`.
            place: the name of the layer.
            key: stateless key, `[2]`, of this pass, the same for all places.
            step: int64 scalar, the outer step.

        Returns:
            A tensor like `x`.
        """


@runtime_checkable
class PerturbsClassActivations(Protocol):
    """Changes what layers hand on, class by class.

    Attributes:
        class_places: names of the backbone's layers behind which it acts.
    """

    class_places: tuple[str, ...]

    def class_activations(
        self, x: tf.Tensor, place: str, labels: tf.Tensor, key: tf.Tensor
    ) -> tf.Tensor:
        """Changes what a layer hands on, alike in all passes over a task.

        Args:
            x: `[n, ...]`.
            place: the name of the layer.
            labels: `[n]`, of these examples.
            key: stateless key, `[2]`, of the task: what `TaskRun.key` is.

        Returns:
            A tensor like `x`.
        """


@runtime_checkable
class PerturbsInnerGradients(Protocol):
    """Changes the gradients of inner steps."""

    def inner_gradients(self, gradients: Params, key: tf.Tensor, step: tf.Tensor) -> Params:
        """Changes the gradients of an inner step.

        Args:
            gradients: of the weights that adapt, by name.
            key: stateless key, `[2]`, of this inner step.
            step: int64 scalar, the outer step.

        Returns:
            A dictionary like `gradients`.
        """


@runtime_checkable
class CorrectsState(Protocol):
    """Changes the weights after the inner steps."""

    def correct(self, state: Params, run: Any) -> Params:
        """Changes the state that the queries are then predicted with.

        Args:
            state: from the learner's `adapt_state`.
            run: `tfmgaug.engine.task.TaskRun`.

        Returns:
            A dictionary like `state`.
        """


@runtime_checkable
class ReplacesOutcome(Protocol):
    """Replaces the loss over the queries."""

    def outcome(self, run: Any) -> Outcome:
        """Measures a task in another way.

        Args:
            run: `tfmgaug.engine.task.TaskRun`.

        Returns:
            An `Outcome`, whose loss is differentiated.
        """


@runtime_checkable
class AddsPenalty(Protocol):
    """Adds to the loss over the queries."""

    def penalty(self, run: Any) -> tf.Tensor:
        """Computes what is added to the loss that is differentiated.

        Args:
            run: `tfmgaug.engine.task.TaskRun`.

        Returns:
            A scalar.
        """


@runtime_checkable
class CouplesTasks(Protocol):
    """Lets each task know of the others in its batch."""

    def summary(self, run: Any) -> tf.Tensor:
        """Sums up a task; nothing is differentiated.

        Args:
            run: `tfmgaug.engine.task.TaskRun`.

        Returns:
            A float32 scalar.
        """

    def couple(self, summaries: tf.Tensor) -> tf.Tensor:
        """Computes what each task must know of the others, which `run.coupling(self)` returns.

        Args:
            summaries: float32 `[tasks]`, of all replicas.

        Returns:
            A float32 tensor `[tasks]`, held constant.
        """


@runtime_checkable
class AveragesTasks(Protocol):
    """Lets each task know the mean over all tasks of its batch."""

    def averaged(self, run: Any) -> Params:
        """Computes what is averaged over tasks; nothing is differentiated.

        Args:
            run: `tfmgaug.engine.task.TaskRun`, of which `adapted` isn't known yet.

        Returns:
            A dictionary of tensors like the weights in the learner's `initial_state()`. In the
            second pass `run.coupling(self)` is its mean over the tasks of all replicas, held
            constant.
        """


PROTOCOLS = (
    ChangesEpisode,
    PerturbsWeights,
    PerturbsActivations,
    PerturbsClassActivations,
    PerturbsInnerGradients,
    CorrectsState,
    ReplacesOutcome,
    AddsPenalty,
    CouplesTasks,
    AveragesTasks,
)


def having(protocol: type, regularizers: Iterable) -> list:
    """Returns the regularizers that follow a protocol."""
    return [regularizer for regularizer in regularizers if isinstance(regularizer, protocol)]
