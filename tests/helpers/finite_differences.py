"""Meta-gradients of learners with noise and penalties against central finite differences."""

import numpy as np
import tensorflow as tf

from tests.helpers.single_task import moved, task_gradient, training_run
from tests.helpers.tasks import theta
from tfmgaug.engine import hooks

STEP = 1e-5


def objective(learner, weights, episode):
    """The objective of one task: its query loss with this step's draws, and the penalties."""
    with learner.scope(weights):
        run = training_run(learner, episode)
        adding, replacing = (
            hooks.having(protocol, learner.regularizers)
            for protocol in (hooks.AddsPenalty, hooks.ReplacesOutcome)
        )
        penalties = [regularizer.penalty(run) for regularizer in adding]
        outcome = replacing[0].outcome(run) if replacing else run.plain_outcome
        return float(outcome.loss) + sum(map(float, penalties))


def assert_gradient_is_exact(learner, episode, directions=2):
    """Compares slopes along random directions; every variable must take part."""
    weights = theta(learner)
    gradients = task_gradient(learner, episode).gradients
    assert gradients.keys() == weights.keys()
    assert all(np.abs(gradient).max() > 0 for gradient in gradients.values())
    draws = np.random.default_rng(1)
    for _ in range(directions):
        moves = {
            name: tf.constant(STEP * draws.normal(size=weight.shape), weight.dtype)
            for name, weight in weights.items()
        }
        up, down = (moved(weights, moves, sign) for sign in (1, -1))
        difference = objective(learner, up, episode) - objective(learner, down, episode)
        slope = 2 * sum(float(np.sum(gradients[name] * move)) for name, move in moves.items())
        np.testing.assert_allclose(slope / STEP, difference / STEP, rtol=1e-5, atol=1e-6)


def assert_query_slope_is_exact(learner, episode, step, rtol):
    """Compares the slope of the query loss along one random direction, without any draws."""
    weights = theta(learner)
    direction = {
        name: np.random.default_rng(n).normal(size=weight.shape)
        for n, (name, weight) in enumerate(weights.items())
    }

    def loss(sign):
        moves = {name: w + sign * step * direction[name] for name, w in weights.items()}
        return task_gradient(learner, episode, moves).outcome.loss

    gradients = task_gradient(learner, episode).gradients
    slope = sum(np.sum(gradient * direction[name]) for name, gradient in gradients.items())
    np.testing.assert_allclose(slope, (loss(1) - loss(-1)) / (2 * step), rtol=rtol)
