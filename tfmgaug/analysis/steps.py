"""How well a network predicts the queries before adaptation and after each inner step."""

import tensorflow as tf


def outcomes_per_step(learner, episode, steps, prune, statistics):
    """Measures one task's queries after 0, 1, ..., `steps` inner steps.

    Args:
        learner: `MetaLearner`.
        episode: `Episode` of one task.
        steps: int >= 0.
        prune: function from weights to weights, held through the steps; None: the full network.
        statistics: a mode.

    Returns:
        A dictionary of float32 tensors `[steps + 1]`: "loss", and "accuracy" for classification.
    """

    def adapt(state, number):
        return learner.adapt_in_evaluation(
            state, episode.support_x, episode.support_y, number, prune, statistics
        )

    def measure(state):
        logits = learner.predict_state(state, episode.query_x, prune, statistics)
        named = learner.outcome(logits, episode.query_y).named()
        return {name: tf.cast(value, tf.float32) for name, value in named.items()}

    def advance(step, state, arrays):
        state = adapt(state, 1)
        measured = measure(state)
        return step + 1, state, {n: array.write(step, measured[n]) for n, array in arrays.items()}

    state = adapt(learner.start(), 0)
    arrays = {
        name: tf.TensorArray(tf.float32, steps + 1, element_shape=[]).write(0, value)
        for name, value in measure(state).items()
    }
    if steps:
        # One step is traced however many there are.
        _, _, arrays = tf.while_loop(
            lambda step, *_: step <= steps,
            advance,
            (tf.constant(1), state, arrays),
            parallel_iterations=1,
        )
    return {name: array.stack() for name, array in arrays.items()}
