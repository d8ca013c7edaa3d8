"""Support losses as functions of the weights that adapt, and sums over tasks."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, replace
from tfmgaug.episode import Episode
from tfmgaug.types import Learner, Tensor


def initial_weights(learner: Learner, episode: Episode) -> Params:
    """Returns the weights that adapt to a task, as they are before.

    Args:
        learner: `MetaLearner`.
        episode: `Episode` of one task.

    Returns:
        A dictionary of tensors.
    """
    start = Context().starting_from(episode.support_x, episode.support_y)
    state = learner.initial_state(start)  # which holds slots of inner optimizers too
    return {name: state[name] for name in learner.network.variables if name in state}


def support_loss(learner: Learner, episode: Episode) -> Callable[[Params], Tensor]:
    """Returns the loss that inner steps descend on, as a function of the weights that adapt.

    Args:
        learner: `MetaLearner`.
        episode: `Episode` of one task.

    Returns:
        A function from tensors by the names of `initial_weights` to a scalar.
    """
    task = learner.task_state(episode.support_y)

    def loss(weights):
        params = replace(learner.network.params, weights)
        outputs, _ = learner.network(params, episode.support_x, Context())
        return learner.support_loss(outputs, episode.support_y, task)

    return loss


def task_of(episodes: Episode, number: int | Tensor) -> Episode:
    """Picks the episode of one task out of a batch."""
    return tf.nest.map_structure(lambda part: part[number], episodes)


def added_up(
    vectors: Callable[[Episode], Any], episodes: Episode, like: Any, parallel_tasks: int
) -> Any:
    """Adds up what a function returns for each task of a batch.

    Args:
        vectors: function from an `Episode` of one task to nested tensors.
        episodes: `Episode` with a leading task axis.
        like: nested tensors shaped like what it returns.
        parallel_tasks: how many tasks may be computed side by side.

    Returns:
        The sums, nested alike.
    """
    tasks = tf.shape(episodes.query_y)[0]

    def add(number, sums):
        terms = vectors(task_of(episodes, number))
        return number + 1, tf.nest.map_structure(tf.add, sums, terms)

    return tf.while_loop(
        lambda number, _: number < tasks,
        add,
        (tf.constant(0), tf.nest.map_structure(tf.zeros_like, like)),
        parallel_iterations=parallel_tasks,
    )[1]


def refuse_without_inner_steps(learner: Learner) -> None:
    """Refuses a learner that moves no weights.

    Raises:
        ValueError: it has no inner steps.
    """
    if not learner.inner_steps:
        raise ValueError(
            "The landscape is that of inner steps, and a learner without inner steps has none. "
            f"Received: {type(learner).__name__}."
        )


def total(batches: Iterable[Any]) -> Any:
    """Adds up nested tensors on the host.

    Args:
        batches: iterable of nested tensors of the same structure and shapes.

    Returns:
        Arrays, nested alike.
    """
    sums = None
    for parts in batches:
        parts = tf.nest.map_structure(lambda part: part.numpy(), parts)
        sums = parts if sums is None else tf.nest.map_structure(np.add, sums, parts)
    return sums
