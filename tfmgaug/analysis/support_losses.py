"""The losses that inner steps descend on, and sums over tasks of what comes of them."""

import tensorflow as tf


def initial_weights(learner):
    """Returns the weights that adapt, as they are before: a dictionary of tensors."""
    start = learner.start()  # which holds slots of inner optimizers too
    return {name: start[name] for name in learner.weight_names if name in start}


def support_loss(learner, episode):
    """Returns the loss that inner steps descend on, as a function of the weights that adapt.

    Args:
        learner: `MetaLearner`.
        episode: `Episode` of one task.

    Returns:
        A function from a list of tensors, aligned with `initial_weights`, to a scalar.
    """
    task = learner.task_state(episode.support_y)

    def loss(weights):
        state = dict(zip(initial_weights(learner), weights, strict=True))
        outputs, _ = learner.forward(learner.weights_of(state), episode.support_x)
        return learner.support_loss(outputs, episode.support_y, task)

    return loss


def added_up(vectors, episodes, like, parallel_tasks):
    """Adds up what a function returns for each task of a batch.

    Args:
        vectors: function from an `Episode` of one task to a list of tensors.
        episodes: `Episode` with a leading task axis.
        like: list of tensors shaped like what it returns.
        parallel_tasks: how many tasks may be computed side by side.

    Returns:
        The list of sums.
    """
    tasks = tf.shape(episodes.query_y)[0]

    def add(number, sums):
        terms = vectors(tf.nest.map_structure(lambda part: part[number], episodes))
        return number + 1, [a + b for a, b in zip(sums, terms, strict=True)]

    return tf.while_loop(
        lambda number, _: number < tasks,
        add,
        (tf.constant(0), [tf.zeros_like(part) for part in like]),
        parallel_iterations=parallel_tasks,
    )[1]


def refuse_without_inner_steps(learner):
    """Refuses a learner that moves no weights.

    Raises:
        ValueError: it has no inner steps.
    """
    if not learner.inner_steps:
        raise ValueError(
            "The landscape is that of inner steps, and a learner without inner steps has none. "
            f"Received: {type(learner).__name__}."
        )


def total(batches):
    """Adds up lists of tensors on the host.

    Args:
        batches: iterable of lists of tensors of the same shapes.

    Returns:
        A list of arrays.
    """
    sums = None
    for parts in batches:
        parts = [part.numpy() for part in parts]
        sums = parts if sums is None else [a + b for a, b in zip(sums, parts, strict=True)]
    return sums
