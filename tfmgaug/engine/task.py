"""One task: adapted to, asked about, and differentiated."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.engine import hooks, prediction, returned
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_loop import connected
from tfmgaug.engine.params import Params
from tfmgaug.engine.perturbation import Perturbation
from tfmgaug.episode import Episode, Outcome
from tfmgaug.randomness import fold
from tfmgaug.types import Method


class TaskRun:
    """A task that is being trained on, computed as far as somebody asks.

    What is computed is kept: ask for it before entering a `tf.cond`, `tf.switch_case` or loop that
    uses it, not within.

    Args:
        learner: the `MetaLearner`.
        episode: `Episode` of one task.
        context: how its network is run.
        coupling: dictionary from the number of a regularizer to what its `couple` says of this
            task, or to the mean of what its `averaged` says of all.
        correcting: list of regularizers that correct the weights after adaptation.
    """

    def __init__(
        self,
        learner: Method,
        episode: Episode,
        context: Context,
        coupling: dict | None = None,
        correcting: Sequence = (),
    ) -> None:
        self.learner = learner
        self.episode = episode
        self.context = context
        self._coupling = coupling
        self._correcting = correcting

    @classmethod
    def of(
        cls,
        learner: Method,
        episode: Episode,
        acting: Sequence,
        context: Context | None = None,
        coupling: dict | None = None,
    ) -> "TaskRun":
        """Sets a task up for training: changed by regularizers, not yet adapted.

        Args:
            learner: the `MetaLearner`.
            episode: `Episode` of one task.
            acting: list of those of the learner's regularizers that act.
            context: how its network is run, but for what regularizers do; None: the full network.
            coupling: as for `TaskRun`.

        Returns:
            A `TaskRun`.
        """
        context = learner.training_context(episode) if context is None else context
        if not acting:
            return cls(learner, episode, context, coupling)
        step = tf.convert_to_tensor(learner.step)

        def run(episode, *coupled):
            perturbed = dataclasses.replace(
                context, perturbation=Perturbation(acting, context.key, step)
            )
            return cls(learner, episode, perturbed, *coupled)

        for number, regularizer in enumerate(acting):
            if not isinstance(regularizer, hooks.ChangesEpisode):
                continue
            changed = regularizer.episode(
                episode,
                fold(context.key, "episode", number),
                # Not corrected, so that both passes of what couples tasks choose alike.
                lambda changed: run(changed).plain_outcome.loss,
            )
            episode = returned.episode(regularizer, changed)
        return run(episode, coupling, hooks.having(hooks.CorrectsState, acting))

    @property
    def key(self) -> tf.Tensor:
        """The stateless key, `[2]`, of this task's draws."""
        return self.context.key

    def on(self, episode: Episode) -> "TaskRun":
        """Returns the run of another episode, with the same draws."""
        return TaskRun(self.learner, episode, self.context, self._coupling, self._correcting)

    def coupling(self, regularizer: Any) -> Any:
        """Returns what a regularizer's `couple` says of this task, or its mean over tasks."""
        number = [candidate is regularizer for candidate in self.learner.regularizers].index(True)
        return self._coupling[str(number)]

    @functools.cached_property
    def initial(self) -> Params:
        """The state before adaptation."""
        return self._adapt(steps=0)

    @functools.cached_property
    def descended(self) -> Params:
        """The state after the inner steps, before anything corrects it."""
        return self._adapt(steps=None)

    @functools.cached_property
    def adapted(self) -> Params:
        """The state after adaptation."""
        state = self.descended
        for regularizer in self._correcting:
            state = regularizer.correct(state, self)
        corrected = state is not self.descended
        if corrected and self.context.statistics == batch_statistics.SUPPORT:
            state = self._with_statistics_of(state)
        return state

    @functools.cached_property
    def initial_logits(self) -> tf.Tensor:
        """Predictions of the queries before adaptation, `[n, way]`."""
        return self._query(self.initial)[0]

    @functools.cached_property
    def logits(self) -> tf.Tensor:
        """Predictions of the queries after adaptation, `[n, way]`."""
        return self._adapted_query[0]

    @property
    def statistics(self) -> Params:
        """The query batch's statistics of normalization after adaptation, by name."""
        return self._adapted_query[1]

    def activations(self, place: str) -> tf.Tensor:
        """Returns the queries' activations after adaptation, before anything perturbed them.

        Args:
            place: the layer behind which they are, one of a regularizer's `places`.
        """
        return self._adapted_query[2].clean[place]

    @functools.cached_property
    def _adapted_query(self):
        return self._query(self.adapted)

    @functools.cached_property
    def plain_outcome(self) -> Outcome:
        """How well the queries are predicted after adaptation: an `Outcome`."""
        return self.learner.outcome(self.logits, self.episode.query_y)

    @functools.cached_property
    def initial_outcome(self) -> Outcome:
        """How well the queries are predicted before adaptation: an `Outcome`."""
        return self.learner.outcome(self.initial_logits, self.episode.query_y)

    def hidden(
        self, x: tf.Tensor, depth: int, start: int = 0, labels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Computes features after adaptation, in the network that predicts the queries.

        Args:
            x: examples `[n, ...]`, or what the first `start` stages made of them.
            depth: int from `start` to the number of the network's stages; 0 is the input.
            start: int.
            labels: of these examples; None: those of the queries.

        Returns:
            What `depth` stages make of the examples, `[n, ...]`.
        """
        network = self.learner.network
        if start == 0:
            x = network.as_input(x)
        context = self._query_context(labels)
        for stage in network.stages[start:depth]:
            x, _ = prediction.forward(self.learner, self.adapted, x, context, stage)
        return x

    def from_hidden(self, hidden: tf.Tensor, depth: int) -> tf.Tensor:
        """Predicts from features that `hidden` gave at this depth: logits `[n, way]`."""
        outputs = self.hidden(hidden, len(self.learner.network.stages), start=depth)
        return self.learner.logits(outputs, self.adapted)

    def _adapt(self, steps):
        episode = self.episode
        state = self.learner.adapt_state(
            self.learner.initial_state(
                self.context.starting_from(episode.support_x, episode.support_y)
            ),
            episode.support_x,
            episode.support_y,
            self.context,
            steps,
        )
        return returned.params(self.learner, "adapt_state", state)

    def _with_statistics_of(self, state):
        """Replaces the support set's statistics by those of the state's weights."""
        episode = self.episode
        return self.learner.adapt_state(
            state, episode.support_x, episode.support_y, self.context, steps=0
        )

    def _query(self, state):
        context = self._query_context()
        logits, statistics = prediction.query(self.learner, state, self.episode.query_x, context)
        return logits, statistics, context.perturbation

    def _query_context(self, labels=None) -> Context:
        return self.context.at("query", labels=self.episode.query_y if labels is None else labels)


class TaskGradient(NamedTuple):
    """What one task teaches the outer loop.

    Attributes:
        gradients: by the names of `learner.meta_params`.
        outcome: how well the queries were predicted after adaptation, without penalties.
        statistics: of normalization, those of the query batch, by name.
        carried: what stands for the learner's carried variables in the next task, by name.
    """

    gradients: Params
    outcome: Outcome
    statistics: Params
    carried: Params


def task_gradient(
    learner: Method,
    theta: Params,
    episode: Episode,
    context: Context,
    coupling: dict | None = None,
) -> TaskGradient:
    """Differentiates one task's query loss after adaptation, and what regularizers add to it.

    Args:
        learner: `MetaLearner`.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.
        context: how the network is run: in full, or a sub-network.
        coupling: what regularizers that couple tasks say of this one, by their number.

    Returns:
        A `TaskGradient`.
    """
    acting = learner.acting_regularizers(context)
    with learner.scope(theta):
        run = TaskRun.of(learner, episode, acting, context, coupling)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(theta)
        with learner.scope(theta):
            outcome = _outcome(acting, run)
            penalty = sum(
                returned.penalty(regularizer, regularizer.penalty(run), outcome.loss)
                for regularizer in hooks.having(hooks.AddsPenalty, acting)
            )
            objective, statistics = outcome.loss + penalty, run.statistics
    gradients = tape.gradient(objective, theta)
    return TaskGradient(_complete(learner, gradients, theta, acting), outcome, statistics, {})


def _outcome(acting, run):
    replacing = hooks.having(hooks.ReplacesOutcome, acting)
    return replacing[0].outcome(run) if replacing else run.plain_outcome


def _complete(learner, gradients, theta, acting):
    """Refuses gradients that are missing, but of regularizers that didn't take part."""
    idle = {
        name
        for regularizer in learner.regularizers
        if regularizer not in acting
        for name in learner.named(regularizer.variables)
    }
    return connected(
        {
            name: tf.zeros_like(theta[name]) if gradient is None and name in idle else gradient
            for name, gradient in gradients.items()
        }
    )


def weight_gradient(learner: Method, theta: Params, episode: Episode) -> tuple[Params, Outcome]:
    """Differentiates one task's query loss at the weights before adaptation.

    Args:
        learner: `MetaLearner`.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.

    Returns:
        The gradients by the names of the network's weights, and the `Outcome`.

    Reference:
        Wang et al., MGAug, Eq. 5.
    """
    with learner.scope(theta):
        weights = learner.network.params
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        outcome = initial_outcome(learner, {**theta, **weights}, episode)
    return connected(tape.gradient(outcome.loss, weights)), outcome


def initial_outcome(learner: Method, theta: Params, episode: Episode) -> Outcome:
    """Measures a task's queries before adaptation."""
    with learner.scope(theta):
        return TaskRun.of(learner, episode, ()).initial_outcome
