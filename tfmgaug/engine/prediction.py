"""The predictions of a learner for a task that it has adapted to."""

import dataclasses

import keras
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.engine import returned
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, replace
from tfmgaug.episode import Episode
from tfmgaug.types import Method


def forward(
    learner: Method,
    state: Params,
    x: tf.Tensor,
    context: Context,
    model: keras.Model | None = None,
) -> tuple[tf.Tensor, Params]:
    """Calls the network, or a part of it, with an adapted state, as it is called on queries.

    Args:
        learner: `MetaLearner`.
        state: from `learner.adapt_state`, in the same context.
        x: `[n, ...]`.
        context: how the network is run.
        model: as of `Network`.

    Returns:
        Outputs `[n, ...]`, and the statistics of `x` by name.

    Raises:
        ValueError: the mode needs running statistics, and the learner has none.
    """
    network, mode = learner.network, context.statistics
    if mode == batch_statistics.RUNNING and learner.statistics != mode:
        raise ValueError(
            "Running statistics are averaged in training only by learners built with "
            f"statistics='running'. Received: a learner with statistics={learner.statistics!r}."
        )
    if mode == batch_statistics.ONE_BY_ONE:
        return _forward_one_by_one(learner, state, x, context)
    statistics = {
        batch_statistics.TRANSDUCTIVE: lambda: None,
        batch_statistics.SUPPORT: lambda: returned.statistics(learner, state),
        batch_statistics.RUNNING: lambda: network.statistics,
    }[mode]()
    return network(replace(network.params, state), x, context, statistics, model)


def _forward_one_by_one(learner, state, x, context):
    network = learner.network
    weights = replace(network.params, state)
    support = network.as_input(state["support_x"])
    together = dataclasses.replace(context, statistics=batch_statistics.TRANSDUCTIVE)

    def predict(query):
        both = tf.concat([support, query[tf.newaxis]], axis=0)
        return network(weights, both, together)[0][-1]

    # Layers may compute in float64 from inputs in float32.
    like = losses.at_least_float32(tf.zeros([], network.model.output.dtype))
    outputs = tf.map_fn(
        predict,
        network.as_input(x),
        fn_output_signature=like.dtype,
        parallel_iterations=learner.parallel_tasks,
    )
    # Each query has statistics of its own: there are none to hand on.
    return outputs, network.statistics


def query(
    learner: Method, state: Params, x: tf.Tensor, context: Context
) -> tuple[tf.Tensor, Params]:
    """Predicts with an adapted state.

    Args:
        learner: `MetaLearner`.
        state: from `learner.adapt_state`, in the same context.
        x: inputs of one task, `[n, ...]`.
        context: how the network is run.

    Returns:
        Logits `[n, way]`, masked for classes without support, or values `[n, outputs]`, and the
        statistics of `x` by name.
    """
    outputs, statistics = forward(learner, state, x, context)
    return learner.logits(outputs, state), statistics


def adapt(
    learner: Method,
    state: Params,
    support_x: tf.Tensor,
    support_y: tf.Tensor,
    context: Context,
    steps: int | tf.Tensor | None = None,
) -> Params:
    """Adapts outside of training, and keeps what the mode needs to predict queries."""
    state = learner.adapt_state(state, support_x, support_y, context, steps)
    state = returned.params(learner, "adapt_state", state)
    if context.statistics == batch_statistics.ONE_BY_ONE:
        # Queries will be normalized together with it.
        state = {**state, "support_x": tf.convert_to_tensor(support_x)}
    return state


def outcomes_per_step(
    learner: Method, episode: Episode, steps: int, context: Context
) -> dict[str, tf.Tensor]:
    """Measures a task's queries before adaptation and after each inner step.

    Args:
        learner: `MetaLearner`.
        episode: `Episode` of one task.
        steps: int >= 0, inner steps.
        context: how the network is run; its sub-network is held through the steps.

    Returns:
        A dictionary of float32 tensors `[steps + 1]`: "loss", and "accuracy" for classification.
    """

    def measure(state):
        logits, _ = query(learner, state, episode.query_x, context)
        named = learner.outcome(logits, episode.query_y).named()
        return {name: tf.cast(value, tf.float32) for name, value in named.items()}

    def adapted(state, number):
        return adapt(learner, state, episode.support_x, episode.support_y, context, number)

    def advance(step, state, arrays):
        state = adapted(state, 1)
        measured = measure(state)
        return step + 1, state, {n: array.write(step, measured[n]) for n, array in arrays.items()}

    start = context.starting_from(episode.support_x, episode.support_y)
    state = adapted(learner.initial_state(start), 0)
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
