"""A batch of tasks: each with its sub-networks, in a loop whose memory the batch doesn't grow."""

import dataclasses
from typing import Any, NamedTuple

import tensorflow as tf

from tfmgaug.engine import coupling, penalties
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, read, select
from tfmgaug.engine.task import TaskGradient, initial_outcome
from tfmgaug.engine.tree_sum import mean_over_tasks
from tfmgaug.episode import Episode, Outcome
from tfmgaug.types import Method


class BatchGradient(NamedTuple):
    """What an outer step learns from a batch of tasks.

    Attributes:
        gradients: meta-gradients by the names of `learner.meta_params`, averaged over tasks.
        statistics: the queries' statistics of normalization, averaged over tasks; empty unless the
            learner keeps running averages of them.
        measures: dictionary from names to float32 tensors `[tasks]`.
        carried: by name, what the last task hands on to the next batch.
    """

    gradients: Params
    statistics: Params
    measures: dict[str, Any]
    carried: Params


def batch_gradient(learner: Method, episodes: Episode) -> BatchGradient:
    """Computes the meta-gradient of a batch of tasks.

    `g = 1/T sum_t g_t`, added up inside the loop in pairwise order.

    Args:
        learner: `MetaLearner`.
        episodes: `Episode` with a leading task axis.

    Returns:
        A `BatchGradient`.
    """
    theta = learner.meta_params
    running = read(learner.running_variables)
    descents = penalties.descents(learner.named(learner.meta_variables), theta)

    def task(episode, coupled, carried):
        with learner.scope({**theta, **carried}):
            learned, measures = augmented_task(learner, theta, episode, {**coupled, **averages})
        # To each task, and not to their mean: so rounding is the same on replicas.
        gradients = penalties.add(learned.gradients, descents)
        return (gradients, select(learned.statistics, running)), measures, learned.carried

    # Variables are read once, here: reading one within the loop would order its iterations.
    with learner.scope(theta):
        averages = coupling.averages(learner, episodes)
        coupled = coupling.couple(learner, episodes)
        (gradients, statistics), measures, carried = mean_over_tasks(
            task,
            (episodes, coupled),
            like=(theta, running),
            measures=learner.training_measures,
            parallel_tasks=learner.parallel_tasks,
            carried=read(learner.carried_variables),
        )
    return BatchGradient(gradients, statistics, measures, carried)


def augmented_task(
    learner: Method, theta: Params, episode: Episode, coupling: dict | None = None
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
    learner: Method, theta: Params, episode: Episode
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
    learner: Method, theta: Params, episode: Episode, gradients: Params
) -> tuple[Params, Outcome | None]:
    """Returns the gradients that a mask scores by, and the outcome before adaptation."""
    # Without inner steps, the meta-gradient is the query loss's gradient in the weights.
    known = learner.inner_steps == 0 and not learner.regularizers
    if learner.scores_by_query_loss and not known:
        return learner.weight_gradient(theta, episode)
    before = initial_outcome(learner, theta, episode) if learner.measures_before else None
    return gradients, before
