import math

import numpy as np
import pytest
import scipy.stats

from tfmgaug.analysis import pearson, spearman

X = np.random.default_rng(0).normal(size=20)
Y = X + 0.7 * np.random.default_rng(1).normal(size=20)


def test_pearsons_interval_is_fishers():
    correlation, r = pearson(X, Y), np.corrcoef(X, Y)[0, 1]
    half = scipy.stats.norm.ppf(0.975) / np.sqrt(17)
    np.testing.assert_allclose(correlation.coefficient, r)
    ends = np.tanh(np.arctanh(r) + np.array([-half, half]))
    np.testing.assert_allclose([correlation.low, correlation.high], ends, rtol=1e-6)
    assert correlation.points == 20


def test_spearman_is_pearson_of_ranks_and_a_little_less_certain():
    correlation = spearman(X, Y**3)
    ranks = [scipy.stats.rankdata(values) for values in (X, Y)]
    np.testing.assert_allclose(correlation.coefficient, pearson(*ranks).coefficient)
    of_ranks = pearson(*ranks)
    assert correlation.low < of_ranks.low
    assert correlation.high > of_ranks.high


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draws = np.random.default_rng(3)
    covered, truth = 0, 6 / np.pi * np.arcsin(np.sqrt(1 / 2) / 2)  # of normals with r^2 = 1/2
    for _ in range(300):
        x = draws.normal(size=30)
        correlation = spearman(x, x + draws.normal(size=30))
        covered += correlation.low < truth < correlation.high
    assert 0.9 < covered / 300 < 0.99


def test_what_is_not_finite_is_left_out():
    assert pearson([*X, np.nan, 1.0], [*Y, 0.0, np.inf]) == pearson(X, Y)


@pytest.mark.parametrize("coefficient", [pearson, spearman])
def test_where_there_is_nothing_to_correlate_it_is_undefined(coefficient):
    flat = coefficient([1.0, 1.0, 1.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    assert math.isnan(flat.coefficient)
    assert str(flat) == "undefined"
    assert flat.to_json() == {"coefficient": None, "low": None, "high": None, "points": 4}
    assert math.isnan(coefficient([1.0], [2.0]).coefficient)
    few = coefficient([1.0, 2.0, 4.0], [2.0, 3.0, 3.5])
    assert math.isnan(few.low)
    assert "[" not in str(few)
    with pytest.raises(ValueError, match="two series of one length"):
        coefficient([1.0, 2.0], [1.0])


def test_a_perfect_order_of_a_few_points_has_no_interval():
    correlation = spearman([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 4.0, 9.0, 16.0, 25.0])
    assert str(correlation) == "1.00 (5 points)"
