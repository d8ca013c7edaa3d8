import numpy as np
import pytest

from tfmgaug.evaluation import summarize


def test_summary_of_four_values_is_that_solved_by_hand():
    summary = summarize([0.0, 0.0, 1.0, 1.0])
    assert summary.mean == 0.5
    assert summary.standard_deviation == pytest.approx(np.sqrt(1 / 3))
    assert summary.interval == pytest.approx(3.1824463 * np.sqrt(1 / 3) / 2)
    assert summary.episodes == 4


def test_interval_covers_the_true_mean_in_about_95_of_100_evaluations():
    draws = np.random.default_rng(0).binomial(75, 0.7, [1000, 600]) / 75
    covered = [abs(s.mean - 0.7) <= s.interval for s in map(summarize, draws)]
    assert 0.93 < np.mean(covered) < 0.97


@pytest.mark.parametrize("values", [[], [0.5], [[0.5, 0.5]]])
def test_too_few_values_are_refused(values):
    with pytest.raises(ValueError, match="at least 2 episodes"):
        summarize(values)
