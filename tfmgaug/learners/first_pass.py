"""The first pass over a batch of tasks, for regularizers that couple them."""

import tensorflow as tf

from tfmgaug.learners import replicas
from tfmgaug.learners.outer_loop import mean_over_tasks


def couple(learner, episodes, parallel_tasks):
    """Makes a first pass over a batch, for regularizers that couple its tasks.

    Args:
        learner: `MetaLearner`.
        episodes: `Episode` with a leading task axis.
        parallel_tasks: how many tasks may be computed side by side.

    Returns:
        A dictionary from the numbers of these regularizers to float32 tensors `[tasks]`.
    """
    coupling = _overriding(learner, "couple")
    if not coupling:
        return {}

    def summarize(episode):
        run = _first_run(learner, episode)
        return {name: tf.cast(one.summary(run), tf.float32) for name, one in coupling.items()}

    summaries = tf.map_fn(
        summarize,
        episodes,
        fn_output_signature=dict.fromkeys(coupling, tf.float32),
        parallel_iterations=parallel_tasks,
    )
    return {name: replicas.coupled(one.couple, summaries[name]) for name, one in coupling.items()}


def averages(learner, episodes, parallel_tasks):
    """Makes a first pass over a batch, for regularizers that need a mean over its tasks.

    Args:
        learner: `MetaLearner`.
        episodes: `Episode` with a leading task axis.
        parallel_tasks: how many tasks may be computed side by side.

    Returns:
        A dictionary from the numbers of these regularizers to dictionaries of tensors, the
        means over the tasks of all replicas, held constant.

    Raises:
        ValueError: there is a single task.
    """
    averaging = _overriding(learner, "averaged")
    if averaging and replicas.total(episodes.query_y.shape[0]) == 1:
        names = ", ".join(type(one).__name__ for one in averaging.values())
        raise ValueError(f"{names} needs at least two tasks in a step. Received: one.")

    def mean(one):
        def summarize(episode, carried):
            return tf.nest.flatten(one.averaged(_first_run(learner, episode))), {}, carried

        start = learner.start()
        means, *_ = mean_over_tasks(
            summarize, (episodes,), tf.nest.flatten(start), (), parallel_tasks
        )
        means = [tf.stop_gradient(part) for part in replicas.mean(means)]
        return tf.nest.pack_sequence_as(start, means)

    return {name: mean(one) for name, one in averaging.items()}


def _overriding(learner, hook):
    return {str(n): one for n, one in enumerate(learner.regularizers) if one.overrides(hook)}


def _first_run(learner, episode):
    # The run of the second pass, with the same draws: what is summed up is what is trained.
    return learner.training_run(learner.regularizers, episode)
