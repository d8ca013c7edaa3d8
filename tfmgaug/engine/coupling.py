"""The first pass over a batch of tasks, for regularizers that couple them."""

import tensorflow as tf

from tfmgaug.engine import hooks, replicas
from tfmgaug.engine.params import Params
from tfmgaug.engine.task import TaskRun
from tfmgaug.engine.tree_sum import mean_over_tasks
from tfmgaug.episode import Episode
from tfmgaug.types import Method


def couple(learner: Method, episodes: Episode) -> Params:
    """Makes a first pass over a batch, for regularizers that couple its tasks.

    Args:
        learner: `MetaLearner`.
        episodes: `Episode` with a leading task axis.

    Returns:
        A dictionary from the numbers of these regularizers to float32 tensors `[tasks]`.
    """
    coupling = _numbered(learner, hooks.CouplesTasks)
    if not coupling:
        return {}

    def summarize(episode):
        run = _first_run(learner, episode)
        return {
            number: tf.cast(regularizer.summary(run), tf.float32)
            for number, regularizer in coupling.items()
        }

    summaries = tf.map_fn(
        summarize,
        episodes,
        fn_output_signature=dict.fromkeys(coupling, tf.float32),
        parallel_iterations=learner.parallel_tasks,
    )
    return {
        number: replicas.coupled(regularizer.couple, summaries[number])
        for number, regularizer in coupling.items()
    }


def averages(learner: Method, episodes: Episode) -> dict[str, Params]:
    """Makes a first pass over a batch, for regularizers that need a mean over its tasks.

    Args:
        learner: `MetaLearner`.
        episodes: `Episode` with a leading task axis.

    Returns:
        A dictionary from the numbers of these regularizers to dictionaries of tensors, the
        means over the tasks of all replicas, held constant.

    Raises:
        ValueError: there is a single task.
    """
    averaging = _numbered(learner, hooks.AveragesTasks)
    if averaging and replicas.total(episodes.query_y.shape[0]) == 1:
        names = ", ".join(type(regularizer).__name__ for regularizer in averaging.values())
        raise ValueError(f"{names} needs at least two tasks in a step. Received: one.")

    def mean(regularizer):
        def summarize(episode, carried):
            return regularizer.averaged(_first_run(learner, episode)), {}, carried

        means, *_ = mean_over_tasks(
            summarize,
            (episodes,),
            like=learner.network.weights_of(learner.initial_state()),
            measures=(),
            parallel_tasks=learner.parallel_tasks,
            carried={},
        )
        return tf.nest.map_structure(tf.stop_gradient, replicas.mean(means))

    return {number: mean(regularizer) for number, regularizer in averaging.items()}


def _numbered(learner, protocol):
    return {
        str(number): regularizer
        for number, regularizer in enumerate(learner.regularizers)
        if isinstance(regularizer, protocol)
    }


def _first_run(learner, episode):
    # The run of the second pass, with the same draws: what is summed up is what is trained.
    return TaskRun.of(learner, episode, learner.regularizers)
