import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import minimize

from tests.helpers import active_set
from tfmgaug.heads import SVMHead, interior_point


def problem(way=3, shot=3, features=5, scale=1.0, diagonal=1.0, seed=0):
    """Embeddings and labels of a support set, its kernel, and one-hot labels `[way, n]`."""
    labels = np.tile(np.arange(way), shot)
    means = np.random.default_rng(seed).normal(size=(way, features))
    noise = np.random.default_rng(seed + 1).normal(size=(len(labels), features))
    embeddings = scale * (means[labels] + noise)
    kernel = embeddings @ embeddings.T + diagonal * np.eye(len(labels))
    return embeddings, labels, kernel, np.eye(way)[labels].T


def by_scipy(kernel, hot, cost):
    """The same program, in the words of a generic solver."""
    way, n = hot.shape
    found = minimize(
        lambda a: 0.5 * np.sum((a.reshape(way, n) @ kernel) * a.reshape(way, n)) - a @ hot.ravel(),
        np.zeros(way * n),
        jac=lambda a: (a.reshape(way, n) @ kernel - hot).ravel(),
        method="SLSQP",
        bounds=[(None, bound) for bound in cost * hot.ravel()],
        constraints={
            "type": "eq",
            "fun": lambda a: a.reshape(way, n).sum(0),
            "jac": lambda _: np.tile(np.eye(n), way),
        },
        options={"ftol": 1e-15, "maxiter": 1000},
    )
    return found.x.reshape(way, n)


def solve(kernel, hot, cost=0.1):
    return interior_point.solve(tf.constant(kernel), tf.constant(hot), cost).numpy()


@pytest.mark.parametrize("cost", [0.03, 0.1, 10.0])
@pytest.mark.parametrize("way", [2, 3, 5])
def test_the_solution_is_that_of_a_generic_solver(way, cost):
    _, _, kernel, hot = problem(way, shot=10 // way)
    np.testing.assert_allclose(solve(kernel, hot, cost), by_scipy(kernel, hot, cost), atol=1e-7)


def test_some_bounds_hold_and_some_do_not():
    _, _, kernel, hot = problem()
    slack = 0.1 * hot - solve(kernel, hot)
    assert slack.min() == 0
    assert 3 < np.sum(slack < 1e-8) < slack.size - 3


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e2, 1e4])
@pytest.mark.parametrize("features", [4, 640])
def test_the_conditions_of_optimality_hold_for_the_shots_of_the_paper(features, scale):
    _, _, kernel, hot = problem(way=5, shot=15, features=features, scale=scale)
    solution = solve(kernel, hot)
    largest = np.abs(solution).max()
    np.testing.assert_allclose(solution.sum(0), 0, atol=1e-9 * largest)
    assert (solution - 0.1 * hot).max() <= 1e-12
    # What keeps an example's classes from moving is what their bounds push with, and a level.
    push = hot - solution @ kernel
    free = 0.1 * hot - solution > 1e-4 * largest
    level = np.where(free, push, 0).sum(0) / free.sum(0)
    assert np.abs(np.where(free, push - level, 0)).max() < 1e-5
    assert np.where(free, 0, push - level).min() > -1e-5


def test_the_gradient_equals_finite_differences():
    embeddings, labels, _, _ = problem()
    head = SVMHead(cost=0.1, diagonal=0.5)
    draws = np.random.default_rng(2)
    upstream = draws.normal(size=(5, 3))

    def value(x):
        return tf.reduce_sum(upstream * head.weights(tf.constant(x), labels, 3))

    x = tf.constant(embeddings)
    with tf.GradientTape() as tape:
        tape.watch(x)
        found = value(x)
    gradient = tape.gradient(found, x).numpy()
    for _ in range(5):
        move = 1e-5 * draws.normal(size=embeddings.shape)
        difference = float(value(embeddings + move) - value(embeddings - move))
        np.testing.assert_allclose(2e5 * np.sum(gradient * move), 1e5 * difference, rtol=1e-5)


@pytest.mark.parametrize(
    ("way", "shot", "features", "scale"),
    [(3, 3, 5, 1.0), (5, 5, 64, 1.0), (5, 5, 4, 1.0), (5, 5, 64, 1e-4), (5, 5, 64, 1e4)],
)
def test_solution_and_gradient_are_exact_down_to_rounding(way, shot, features, scale):
    embeddings, labels, kernel, hot = problem(way, shot, features, scale, seed=3)
    near = solve(kernel, hot)
    exact = active_set.solve(kernel, hot, 0.1, near)
    np.testing.assert_allclose(near, exact, atol=1e-13 * np.abs(exact).max())
    draws, x = np.random.default_rng(5), tf.constant(embeddings)
    upstream = draws.normal(size=(features, way))
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = tf.reduce_sum(upstream * SVMHead(0.1, 1.0).weights(x, labels, way))
    gradient = tape.gradient(value, x).numpy()
    for _ in range(3):
        move = draws.normal(size=embeddings.shape)
        moved = embeddings + active_set.STEP * 1j * move
        kernel = moved @ moved.T + np.eye(len(labels))
        weights = moved.T @ active_set.solve(kernel, hot, 0.1, near).T
        slope = np.sum(upstream * weights).imag / active_set.STEP
        np.testing.assert_allclose(np.sum(gradient * move), slope, rtol=1e-11)


@pytest.mark.parametrize("origin", [0.0, 1e4])
@pytest.mark.parametrize("scale", [0.0, 1e-4, 1.0, 1e6])
def test_it_ends_where_rounding_does(scale, origin, monkeypatch):
    embeddings, _, _, hot = problem(5, 3, scale=scale)
    embeddings += origin
    embeddings[1:4] = embeddings[0]  # the same picture three times more, of other classes
    steps, improved = [], interior_point._improved
    monkeypatch.setattr(interior_point, "_improved", lambda *a: steps.append(a) or improved(*a))
    solution = solve(embeddings @ embeddings.T + np.eye(15), hot)
    assert np.isfinite(solution).all()
    assert (solution <= 0.1 * hot).all()
    assert 5 < len(steps) < 40


def test_a_second_gradient_is_refused_rather_than_wrong():
    embeddings, labels, _, _ = problem()
    x = tf.constant(embeddings)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = tf.reduce_sum(SVMHead().weights(x, labels, 3) ** 2)
        slope = tf.reduce_sum(tape.gradient(value, x))
    with pytest.raises(LookupError, match="can't be differentiated again"):
        outer.gradient(slope, x)


def test_one_class_alone_has_nothing_to_tell():
    weights = SVMHead().weights(tf.constant(problem()[0]), np.zeros(9, "int32"), 1)
    np.testing.assert_allclose(weights, 0, atol=1e-12)


def test_embeddings_that_are_not_finite_give_weights_that_are_not():
    embeddings, labels, _, _ = problem()
    embeddings[0, 0] = np.nan
    assert np.isnan(SVMHead().weights(tf.constant(embeddings), labels, 3)).all()


@pytest.mark.parametrize("options", [{"cost": 0.0}, {"diagonal": 0.0}])
def test_impossible_arguments_are_refused(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"`{name}` must be positive. Received: {name}=0.0"):
        SVMHead(**options)
