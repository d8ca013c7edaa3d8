import pathlib
import tokenize

import numpy as np
import pytest
import scipy.stats

from tests.helpers.evaluation_reports import report
from tfmgaug.evaluation import compare, half_width, summarize
from tfmgaug.evaluation.intervals import described

ROOT = pathlib.Path(__file__).parents[2]


@pytest.mark.parametrize(("number", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (30, 2.045)])
def test_a_few_values_take_the_quantile_of_students_table(number, quantile):
    assert half_width(1.0, number) == pytest.approx(quantile, abs=5e-4)
    np.testing.assert_allclose(half_width(np.array([0.5, 2.0]), number), half_width(1.0, number) *
                               np.array([0.5, 2.0]))  # fmt: skip


def test_of_600_episodes_it_is_the_papers_interval_to_two_in_a_thousand():
    values = np.random.default_rng(0).uniform(size=600)
    ratio = summarize(values).interval / (1.96 * values.std(ddof=1) / 600**0.5)
    assert 1.0015 < ratio < 1.0025


@pytest.mark.parametrize("number", [2, 3, 5])
def test_intervals_of_a_few_runs_cover_the_truth_in_95_of_100_experiments(number):
    # Of three runs, 1.96 standard errors cover it in 81.
    draws = np.random.default_rng(number).normal(0.7, 0.02, size=[4000, number])
    covered = [abs(s.mean - 0.7) <= s.interval for s in map(summarize, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_one_value_alone_has_no_interval():
    assert np.isnan(half_width(0.1, 1))


def test_a_paired_difference_differs_from_zero_exactly_where_its_interval_says_so():
    draws, verdicts = np.random.default_rng(1), []
    for _ in range(60):
        first, second = draws.normal(size=(2, 4, 1)) + np.array([1.5, 0.0])[:, None, None]
        found = compare(report({"support": first}), report({"support": second}))
        assert (abs(found.difference) > found.interval) == (found.p_value < 0.05)
        verdicts.append(found.p_value < 0.05)
    assert 5 < sum(verdicts) < 55


def test_summaries_agree_with_scipy():
    values = np.random.default_rng(1).uniform(size=7)
    low, high = scipy.stats.t.interval(0.95, 6, values.mean(), scipy.stats.sem(values))
    assert summarize(values).interval == pytest.approx((high - low) / 2, rel=1e-12)


def test_a_bar_is_called_what_it_is():
    assert described(3, "runs") == "95 % interval over 3 runs, Student's t"
    assert described({2, 5}, "tasks") == "95 % interval over 2 to 5 tasks, Student's t"


def test_no_code_has_a_quantile_of_its_own():
    found = set()
    for file in [*(ROOT / "tfmgaug").rglob("*.py"), *(ROOT / "launch").rglob("*.py")]:
        with file.open("rb") as stream:
            tokens = tokenize.tokenize(stream.readline)
            if any(t.type == tokenize.NUMBER and t.string.startswith("1.96") for t in tokens):
                found.add(file.name)
    # Bonett and Wright's interval is of a correlation, not of a mean, and normal by definition.
    assert found == {"correlation.py"}
