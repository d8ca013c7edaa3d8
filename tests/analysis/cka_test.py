import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.numpy_network import by_hsic
from tfmgaug.analysis import linear_cka

DRAWS = np.random.default_rng(0)
X, Y = DRAWS.normal(size=(12, 5)), DRAWS.normal(size=(12, 4, 2)) + 3


def by_features(x, y):
    """The form that compares features and not examples."""
    x, y = (features.reshape(len(features), -1) for features in (x, y))
    x, y = x - x.mean(0), y - y.mean(0)
    norms = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    return np.linalg.norm(y.T @ x) ** 2 / norms


@pytest.mark.parametrize("formula", [by_hsic, by_features])
def test_cka_is_that_of_independent_formulas(formula):
    np.testing.assert_allclose(linear_cka(X, Y), formula(X, Y), rtol=1e-12)
    assert 0.05 < float(linear_cka(X, Y)) < 0.95


def test_cka_stays_under_rotation_scaling_and_shifts_but_not_under_any_map():
    rotation = np.linalg.qr(DRAWS.normal(size=(5, 5)))[0]
    expected = float(linear_cka(X, Y))
    for same in (X @ rotation, 7.5 * X, X + DRAWS.normal(size=5)):
        np.testing.assert_allclose(linear_cka(same, Y), expected, rtol=1e-12)
        np.testing.assert_allclose(linear_cka(X, same), 1, rtol=1e-12)
    stretched = X * [9, 1, 1, 1, 1]
    assert abs(float(linear_cka(stretched, Y)) - expected) > 0.01
    assert float(linear_cka(Y, X)) == pytest.approx(expected, rel=1e-12)


def test_equal_features_have_exactly_one_and_constant_ones_none():
    assert float(linear_cka(X.astype("float32"), X.astype("float32"))) == 1
    assert np.isnan(linear_cka(X, np.ones_like(X)))


@pytest.fixture
def optimized_graphs(unoptimized_graphs):
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    yield
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.mark.usefixtures("optimized_graphs")
def test_equal_features_have_exactly_one_in_a_graph_that_tensorflow_rewrites():
    of_itself = tf.function(lambda x: linear_cka(x, x))
    assert [float(of_itself(x)) for x in DRAWS.normal(size=(60, 9, 4))] == [1.0] * 60
