"""One task: adapted to, asked about, and differentiated."""

import dataclasses
from typing import NamedTuple

import tensorflow as tf

from tfmgaug.engine import hooks
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_loop import connected
from tfmgaug.engine.params import Params
from tfmgaug.engine.task_run import TaskRun
from tfmgaug.episode import Episode, Outcome
from tfmgaug.types import Learner


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
    learner: Learner,
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
                regularizer.penalty(run) for regularizer in hooks.having(hooks.AddsPenalty, acting)
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


def weight_gradient(learner: Learner, theta: Params, episode: Episode) -> tuple[Params, Outcome]:
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


def initial_outcome(learner: Learner, theta: Params, episode: Episode) -> Outcome:
    """Measures a task's queries before adaptation."""
    with learner.scope(theta):
        return TaskRun.of(learner, episode, ()).initial_outcome


def augmented_task(
    learner: Learner, theta: Params, episode: Episode, coupling: dict | None = None
) -> tuple[TaskGradient, dict[str, tf.Tensor]]:
    """Computes one task's share of an outer step, its sub-networks included.

    Args:
        learner: `MetaLearner`.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.
        coupling: what regularizers that couple tasks say of this one, by their number.

    Returns:
        A `TaskGradient` to whose gradients those of sub-networks are added, and a dictionary of
        float32 scalars.
    """
    context = learner.training_context(episode)
    full = learner.task_gradient(theta, episode, context, coupling)
    scoring, before = before_adaptation(learner, theta, episode, full.gradients)
    gradients, measures = full.gradients, full.outcome.named()
    if learner.augmentation is not None:

        def of_subnetwork(episode, pruned):
            learned = learner.task_gradient(theta, episode, pruned, coupling)
            return learned.gradients, learned.outcome.loss

        gradients, loss = _augmented(
            learner, theta, episode, context, gradients, scoring, of_subnetwork
        )
        if learner.measures_subnetworks:
            measures["loss_subnetworks"] = loss
    if learner.measures_before:
        measures = {**measures, **before.named("_before")}
    measures = {name: tf.cast(value, tf.float32) for name, value in measures.items()}
    return full._replace(gradients=gradients), measures


def _augmented(learner, theta, episode, context, gradients, scoring, gradient_of):
    """Adds to gradients what a function makes of each sub-network's episode and context.

    The function returns gradients and a loss; what is returned here, too.
    """

    def of_subnetwork(episode, weight_transform, key):
        pruned = dataclasses.replace(context, weight_transform=weight_transform, key=key)
        return gradient_of(episode, pruned)

    with learner.scope(theta):
        weights = learner.network.params
    step = tf.convert_to_tensor(learner.step)
    return learner.augmentation.augment(
        gradients, of_subnetwork, weights, scoring, episode, step, context.key
    )


def subnetworks_of(
    learner: Learner, theta: Params, episode: Episode
) -> list[tuple[Episode, Context]]:
    """Lists the sub-networks that an outer step makes of a task; in eager execution alone.

    Args:
        learner: `MetaLearner`.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.

    Returns:
        The episode (at its resolution) and the context of each; none without an augmentation.
    """
    if learner.augmentation is None:
        return []
    listed, context = [], learner.training_context(episode)
    nothing = tf.nest.map_structure(tf.zeros_like, theta)

    def note(episode, pruned):
        listed.append((episode, pruned))
        return nothing, 0.0

    full = learner.task_gradient(theta, episode, context)
    scoring, _ = before_adaptation(learner, theta, episode, full.gradients)
    # Outside a graph the loop over sub-networks runs in Python, so that they can be noted.
    _augmented(learner, theta, episode, context, nothing, scoring, note)
    return listed


def before_adaptation(
    learner: Learner, theta: Params, episode: Episode, gradients: Params
) -> tuple[Params, Outcome | None]:
    """Returns the gradients that a mask scores by, and the outcome before adaptation."""
    # Without inner steps, the meta-gradient is the query loss's gradient in the weights.
    known = learner.inner_steps == 0 and not learner.regularizers
    if learner.scores_by_query_loss and not known:
        return learner.weight_gradient(theta, episode)
    before = initial_outcome(learner, theta, episode) if learner.measures_before else None
    return gradients, before
