"""The base of methods: what a learner overrides, and what the engine asks of it."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones.head import classifier_of
from tfmgaug.engine import classes, returned, task
from tfmgaug.engine.context import Context
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params, by_name, read
from tfmgaug.episode import Episode, Outcome
from tfmgaug.masks.mask import Mask
from tfmgaug.randomness import fold, key


class Method:
    """How one task is learned.

    A method overrides at most five things: what it meta-learns (`method_variables`), which state a
    task starts from (`initial_state`), how it adapts (`adapt_state`), how it reads logits
    (`read_out`), and its meta-gradient (`task_gradient`). A *state* is a dictionary of named
    tensors: adapted weights, prototypes, statistics.

    Attributes:
        network: `Network`, the backbone as a function of named weights.
        inner_steps: int, in training; 0 for methods that take none.
        learns_weights: whether the outer loop learns the backbone's weights; otherwise they are
            what they are.
        outputs_logits: whether the backbone's outputs are logits; otherwise they are embeddings.
        has_outer_loss: whether outer steps descend on a loss, which penalties of weights can be a
            part of.
        no_gradient_check: why its meta-gradient can't be held to the slope of a loss over tasks;
            None where it can.
        no_meta_gradient_scores: why its meta-gradient can't score weights; None where it is a
            gradient in the weights.
    """

    name: str
    network: Network
    backbone: keras.Model
    loss_fn: keras.losses.Loss
    statistics: str
    augmentation: Any = None
    magnitude_mask: Any = None
    measure_before: bool
    regularizers: Sequence = ()
    parallel_tasks: int
    seed: int
    step: keras.Variable
    inner_steps = 0
    learns_weights = True
    outputs_logits = True
    has_outer_loss = True
    no_gradient_check: str | None = None
    no_meta_gradient_scores: str | None = None

    @property
    def classifier(self) -> keras.Layer | None:
        """The backbone's layer that makes the logits; None if it only embeds."""
        return classifier_of(self.backbone)

    @property
    def way(self) -> int | None:
        """The number of outputs; None if the support set decides."""
        return self.backbone.output_shape[-1]

    @property
    def second_order(self) -> bool:
        """Whether meta-gradients flow through inner gradients."""
        return False

    @property
    def adapting(self) -> Sequence[str]:
        """The names of the weights that the inner loop changes."""
        return ()

    @property
    def evaluation_steps(self) -> int:
        """The number of inner steps outside of training."""
        return self.inner_steps

    @property
    def method_variables(self) -> list[keras.Variable]:
        """The variables that this method's outer loop learns, the backbone's first."""
        return list(self.backbone.trainable_variables) if self.learns_weights else []

    @property
    def fixed_variables(self) -> list[keras.Variable]:
        """The variables that a task reads and the outer loop doesn't learn."""
        weights = [] if self.learns_weights else self.backbone.trainable_variables
        masks = [] if self.magnitude_mask is None else self.magnitude_mask.masks
        return [*weights, *self.backbone.non_trainable_variables, *masks, self.step]

    @property
    def weights_learned_elsewhere(self) -> list[keras.Variable]:
        """Weights in whose place the outer loop learns others, built like them."""
        return []

    @property
    def network_variables(self) -> list[keras.Variable]:
        """The variables that decide which network a task starts from: what training has made."""
        return list(self.backbone.trainable_variables)

    @property
    def carried_variables(self) -> dict[str, keras.Variable]:
        """The variables that each task of a batch changes for the next one, by name."""
        return {}

    def inner_rates(self) -> dict[str, Any]:
        """Returns the inner learning rates by weight; none without inner steps."""
        return {}

    def initial_state(self, context: Context | None = None) -> Params:
        """Returns the state before adaptation.

        Args:
            context: how the network is run, and the support set of the task; None: evaluation of
                any task, for methods whose tasks all start alike.
        """
        return {}

    def adapt_state(
        self,
        state: Params,
        support_x: tf.Tensor,
        support_y: tf.Tensor,
        context: Context,
        steps: int | tf.Tensor | None = None,
    ) -> Params:
        """Adapts to a support set; one step at a time gives the same as all at once.

        Args:
            state: from `initial_state`, or from an earlier call.
            support_x: inputs of one task, `[way * shot, ...]`.
            support_y: labels or targets of one task.
            context: `Context`, how the network is run.
            steps: number of inner steps, an integer or int32 scalar; None: the learner's own.

        Returns:
            The new state.
        """
        raise NotImplementedError

    def read_out(self, outputs: tf.Tensor, state: Params) -> tf.Tensor:
        """Turns the backbone's outputs `[n, outputs]` into logits; see `logits`."""
        return outputs

    def task_gradient(
        self, theta: Params, episode: Episode, context: Context, coupling: dict | None = None
    ) -> task.TaskGradient:
        """Computes one task's meta-gradient; see `tfmgaug.engine.task.task_gradient`."""
        return task.task_gradient(self, theta, episode, context, coupling)

    def weight_gradient(self, theta: Params, episode: Episode) -> tuple[Params, Outcome]:
        """Differentiates what scores weights; see `tfmgaug.engine.task.weight_gradient`."""
        return task.weight_gradient(self, theta, episode)

    # What the engine asks.

    def logits(self, outputs: tf.Tensor, state: Params) -> tf.Tensor:
        """Reads out what the backbone makes of a task's examples.

        Args:
            outputs: of the backbone, `[n, outputs]`.
            state: from `adapt_state`.

        Returns:
            Logits `[n, way]`, masked for classes without support; or values `[n, outputs]`.
        """
        logits = returned.logits(self, self.read_out(outputs, state), state)
        return classes.masked(logits, state)

    def task_state(self, support_y: tf.Tensor) -> Params:
        """Notes which classes a support set is about: a part of the state; empty for regression."""
        return classes.present(support_y, self.way) if self.classification else {}

    def support_loss(self, logits: tf.Tensor, support_y: tf.Tensor, task: Params) -> tf.Tensor:
        """Measures what inner steps descend on.

        Args:
            logits: of support examples, `[n, way]`, or values.
            support_y: of these examples, labels `[n]` or targets.
            task: of the whole support set, from `task_state`.

        Returns:
            A scalar, the mean over the examples.
        """
        return self.outcome(classes.masked(logits, task), support_y).loss

    @property
    def meta_variables(self) -> list[keras.Variable]:
        """The variables that the outer loop learns, in the order of `meta_params`."""
        of_regularizers = (
            variable for regularizer in self.regularizers for variable in regularizer.variables
        )
        return [*self.method_variables, *of_regularizers]

    @property
    def meta_params(self) -> Params:
        """What the outer loop learns, as it is now, by name."""
        return read(self.named(self.meta_variables))

    @property
    def read_params(self) -> Params:
        """All that a task reads but what is carried, as it is now, by name."""
        return read(self.named([*self.meta_variables, *self.fixed_variables]))

    def named(self, variables: Iterable[keras.Variable]) -> dict[str, keras.Variable]:
        """Arranges variables of this learner by name; its own are named without its name."""
        # A layer of the backbone may be called as the learner is.
        return by_name(variables, owner=self.name, elsewhere=self.backbone.variables)

    def scope(self, params: Params) -> keras.StatelessScope:
        """Lets tensors stand for variables by name; all others are read once, here.

        Args:
            params: tensors by the names of `meta_params`, of weights, or of what is carried.

        Returns:
            A `keras.StatelessScope`.
        """
        carried = self.carried_variables
        variables = self.named([*self.meta_variables, *self.fixed_variables])
        variables.update(carried)
        unknown = [name for name in params if name not in variables]
        if unknown:
            raise ValueError(
                f"Expected parameters of {self.name!r}, by name. Received: {', '.join(unknown)}."
            )
        return keras.StatelessScope(
            [
                (variable, params[name] if name in params else tf.convert_to_tensor(variable))
                for name, variable in variables.items()
            ]
        )

    def task_key(self, episode: Episode) -> tf.Tensor:
        """Returns the stateless key, `[2]`, of a task's draws at this outer step."""
        return fold(key(self.seed), tf.convert_to_tensor(self.step), episode.index)

    def training_context(self, episode: Episode) -> Context:
        """Returns how the full network is run where a task is trained on."""
        task_key = self.task_key(episode)
        return Context(
            statistics=self.training_statistics, training=True, key=task_key, task_key=task_key
        )

    @property
    def training_statistics(self) -> str:
        """What normalizes queries in training."""
        # Running averages are made of query batches, so these normalize themselves in training.
        evaluates = (batch_statistics.RUNNING, batch_statistics.ONE_BY_ONE)
        return batch_statistics.TRANSDUCTIVE if self.statistics in evaluates else self.statistics

    def acting_regularizers(self, context: Context) -> list:
        """Returns the regularizers that act on a network: some leave sub-networks alone."""
        return [
            regularizer
            for regularizer in self.regularizers
            if regularizer.subnetworks or not context.prunes
        ]

    def check_score(self, mask: Mask) -> None:
        """Refuses a mask that scores weights by a gradient that this learner doesn't have.

        Args:
            mask: `tfmgaug.masks.Mask`.

        Raises:
            ValueError: it scores by the meta-gradient, and the learner's is not one in the weights.
        """
        if mask.score == "meta_gradient" and self.no_meta_gradient_scores is not None:
            raise ValueError(
                f"{self.no_meta_gradient_scores} Use score='query_loss'. "
                f"Received: {type(mask).__name__}(score='meta_gradient')."
            )

    @property
    def scores_by_query_loss(self) -> bool:
        """Whether sub-networks are pruned by scores of the query loss."""
        return self.augmentation is not None and self.augmentation.mask.score == "query_loss"

    @property
    def measures_before(self) -> bool:
        """Whether training measures queries before adaptation."""
        return self.inner_steps > 0 and (self.measure_before or self.scores_by_query_loss)

    @property
    def measures_subnetworks(self) -> bool:
        """Whether training measures the query loss of sub-networks, which descends on it anyway."""
        return self.augmentation is not None and self.has_outer_loss

    @property
    def running_variables(self) -> dict[str, keras.Variable]:
        """The statistics that are averaged over training, by name."""
        running = self.statistics == batch_statistics.RUNNING
        return self.network.statistics_variables if running else {}

    @property
    def training_measures(self) -> list[str]:
        """The names of what training measures of each task."""
        suffixes = ["", "_before"] if self.measures_before else [""]
        names = [name + suffix for suffix in suffixes for name in self.outcome_names]
        return [*names, "loss_subnetworks"] if self.measures_subnetworks else names

    @property
    def outcome_names(self) -> list[str]:
        """The names of what is measured of predictions."""
        return ["loss", "accuracy"] if self.classification else ["loss"]

    @property
    def classification(self) -> bool:
        """Whether labels are integers and accuracy has a meaning."""
        return losses.is_classification(self.loss_fn)

    def outcomes(self, logits: tf.Tensor, targets: tf.Tensor | losses.Mixed) -> Outcome:
        """Measures each prediction.

        Args:
            logits: `[n, way]`.
            targets: labels `[n]`, values, or `losses.Mixed`.

        Returns:
            An `Outcome` of tensors `[n]`.
        """
        loss = losses.per_example(self.loss_fn, targets, logits)
        return Outcome(loss, losses.hits(targets, logits) if self.classification else None)

    def outcome(self, logits: tf.Tensor, targets: tf.Tensor | losses.Mixed) -> Outcome:
        """Measures predictions.

        Args:
            logits: `[n, way]`.
            targets: labels `[n]`, values, or `losses.Mixed`.

        Returns:
            An `Outcome` of scalars, the means over examples.
        """
        measured = self.outcomes(logits, targets)
        return Outcome(*(None if part is None else tf.reduce_mean(part) for part in measured))
