import functools

import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfmgaug.regularizers import inequality

LOSSES = np.array([0.3, 1.7, 0.9, 0.02, 2.4])

ge = inequality.generalized_entropy
atkinson = inequality.atkinson


def brute_force_gini(x):
    pairs = [abs(a - b) for a in x for b in x]
    return sum(pairs) / (2 * len(x) * sum(x))


# Each with an independent form of its definition.
MEASURES = {
    "theil": (inequality.theil, lambda x: np.log(len(x)) - scipy.stats.entropy(x / x.sum())),
    "ge(2)": (functools.partial(ge, alpha=2.0), lambda x: np.var(x) / np.mean(x) ** 2 / 2),
    "ge(1)": (functools.partial(ge, alpha=1.0), lambda x: MEASURES["theil"][1](x)),
    "ge(0)": (
        functools.partial(ge, alpha=0.0),
        lambda x: np.log(x.mean() / scipy.stats.gmean(x)),
    ),
    "ge(-1)": (
        functools.partial(ge, alpha=-1.0),
        lambda x: (x.mean() / scipy.stats.hmean(x) - 1) / 2,
    ),
    "atkinson(0.5)": (
        functools.partial(atkinson, epsilon=0.5),
        lambda x: 1 - scipy.stats.pmean(x, 0.5) / x.mean(),
    ),
    "atkinson(1)": (
        functools.partial(atkinson, epsilon=1.0),
        lambda x: 1 - scipy.stats.gmean(x) / x.mean(),
    ),
    "atkinson(2)": (
        functools.partial(atkinson, epsilon=2.0),
        lambda x: 1 - scipy.stats.hmean(x) / x.mean(),
    ),
    "gini": (inequality.gini, brute_force_gini),
    "variance_of_logs": (inequality.variance_of_logs, lambda x: np.var(np.log(x))),
}
all_measures = pytest.mark.parametrize("name", MEASURES)


def measure(name, losses):
    return float(MEASURES[name][0](tf.constant(losses, tf.float64)))


def slopes(name, losses):
    losses = tf.constant(losses, tf.float64)
    with tf.GradientTape() as tape:
        tape.watch(losses)
        value = MEASURES[name][0](losses)
    return tape.gradient(value, losses).numpy()


@all_measures
def test_it_is_what_its_definition_says(name):
    np.testing.assert_allclose(measure(name, LOSSES), MEASURES[name][1](LOSSES), rtol=1e-10)


@all_measures
def test_it_is_zero_where_all_are_equal(name):
    np.testing.assert_allclose(measure(name, np.full(4, 0.7)), 0, atol=1e-15)
    np.testing.assert_allclose(slopes(name, np.full(4, 0.7)), 0, atol=1e-14)
    assert measure(name, LOSSES) > 0.05


@all_measures
def test_scale_and_order_do_not_matter(name):
    expected = measure(name, LOSSES)
    np.testing.assert_allclose(measure(name, 1e3 * LOSSES), expected, rtol=1e-10)
    np.testing.assert_allclose(measure(name, LOSSES[::-1]), expected, rtol=1e-10)
    # Scaling changes nothing, so that the slopes balance.
    assert abs(slopes(name, LOSSES) @ LOSSES) < 1e-12


@all_measures
def test_its_slopes_equal_finite_differences(name):
    def difference(number):
        step = 1e-6 * np.eye(len(LOSSES))[number]
        return (measure(name, LOSSES + step) - measure(name, LOSSES - step)) / 2e-6

    expected = [difference(number) for number in range(len(LOSSES))]
    np.testing.assert_allclose(slopes(name, LOSSES), expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(
    ("family", "parameter", "values"), [(ge, "alpha", (0.0, 1.0)), (atkinson, "epsilon", (1.0,))]
)
def test_special_cases_are_limits(family, parameter, values):
    losses = tf.constant(LOSSES)
    for value in values:
        near = float(family(losses, **{parameter: value + 1e-6}))
        np.testing.assert_allclose(near, float(family(losses, **{parameter: value})), rtol=1e-4)


def test_equal_losses_do_not_push_one_another_in_ginis_coefficient():
    first, second, _ = slopes("gini", [0.5, 0.5, 2.0])
    assert first == second
    np.testing.assert_allclose(slopes("gini", [0.5, 0.5, 2.0]) @ [0.5, 0.5, 2.0], 0, atol=1e-15)


def test_high_powers_of_small_losses_do_not_overflow():
    found = float(atkinson(tf.constant([1e-7, 1.0, 2.0]), 10.0))
    np.testing.assert_allclose(found, 1.0, rtol=1e-5)
