import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.heads import RidgeHead

DRAWS = np.random.default_rng(0)
EMBEDDINGS, LABELS = DRAWS.normal(size=(9, 5)), np.tile(np.arange(3), 3)


def normal_equations(x, regularization):
    """The same regression in its weights: `(X^T X + lambda I) W = X^T Y`."""
    return np.linalg.solve(x.T @ x + regularization * np.eye(5), x.T @ np.eye(3)[LABELS])


@pytest.mark.parametrize("regularization", [0.1, 50.0])
def test_weights_solve_the_normal_equations(regularization):
    found = RidgeHead(regularization).weights(tf.constant(EMBEDDINGS), LABELS, 3)
    np.testing.assert_allclose(found, normal_equations(EMBEDDINGS, regularization), rtol=1e-9)


def test_the_gradient_equals_finite_differences():
    x, upstream = tf.constant(EMBEDDINGS), DRAWS.normal(size=(5, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(upstream * RidgeHead(2.0).weights(x, LABELS, 3))
    move = 1e-5 * DRAWS.normal(size=(9, 5))
    up, down = (normal_equations(EMBEDDINGS + s * move, 2.0) for s in (1, -1))
    slope = 2 * np.sum(tape.gradient(value, x) * move)
    np.testing.assert_allclose(slope * 1e5, np.sum(upstream * (up - down)) * 1e5, rtol=1e-6)


def test_no_regularization_is_refused():
    with pytest.raises(ValueError, match="`regularization` must be positive"):
        RidgeHead(0.0)
