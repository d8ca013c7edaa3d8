"""Meta-gradients of learners with noise and penalties against central finite differences."""

import numpy as np
import tensorflow as tf

from tests.helpers.tasks import theta

STEP = 1e-5


def objective(learner, weights, episode):
    """What is minimized for one task: its query loss with this step's draws, and the penalties."""
    with learner._scope(weights):
        run = learner.training_run(learner.regularizers, episode)
        penalties = [one.penalty(run) for one in learner.regularizers if one.overrides("penalty")]
        loss = learner._regularized_outcome(learner.regularizers, run).loss
        return float(loss) + sum(map(float, penalties))


def assert_gradient_is_exact(learner, episode, directions=2):
    """Compares slopes along random directions; every variable must take part."""
    weights = theta(learner)
    gradients, _, _ = learner.meta_gradient(weights, episode)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)
    draws = np.random.default_rng(1)
    for _ in range(directions):
        moves = [tf.constant(STEP * draws.normal(size=w.shape), w.dtype) for w in weights]
        up, down = ([w + s * d for w, d in zip(weights, moves)] for s in (1, -1))
        difference = objective(learner, up, episode) - objective(learner, down, episode)
        slope = 2 * sum(float(np.sum(g * d)) for g, d in zip(gradients, moves))
        np.testing.assert_allclose(slope / STEP, difference / STEP, rtol=1e-5, atol=1e-6)
