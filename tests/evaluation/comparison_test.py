import json

import numpy as np
import pytest
import scipy.stats

from tests.helpers.evaluation_reports import report
from tfmgaug.evaluation import compare

DRAWS = np.random.default_rng(0)
HARDNESS = DRAWS.uniform(0.3, 0.8, [100, 1]).astype(np.float32)
BETTER = HARDNESS + 0.02 + DRAWS.normal(0, 0.01, [100, 1]).astype(np.float32)


def test_pairing_finds_what_two_intervals_hide():
    a, b = report({"support": BETTER}), report({"support": HARDNESS})
    comparison = compare(a, b)
    assert a.summary().interval > 0.02  # the intervals overlap
    assert comparison.difference == pytest.approx(0.02, abs=0.005)
    assert comparison.p_value < 1e-10
    assert comparison.wilcoxon_p_value < 1e-10
    assert comparison.interval < 0.005


def test_p_value_is_that_of_the_paired_t_test():
    other = HARDNESS + DRAWS.normal(0, 0.05, [100, 1]).astype(np.float32)
    comparison = compare(report({"support": other}), report({"support": HARDNESS}))
    expected = scipy.stats.ttest_rel(other[:, 0], HARDNESS[:, 0]).pvalue
    assert comparison.p_value == pytest.approx(expected, rel=1e-3)


def test_a_report_equals_itself():
    comparison = compare(report({"support": BETTER}), report({"support": BETTER}))
    assert (comparison.difference, comparison.p_value, comparison.wilcoxon_p_value) == (0, 1, 1)


@pytest.mark.filterwarnings("error")
def test_ties_raise_no_warning():
    a = report({"support": [[0.5], [0.5], [0.6]]})
    b = report({"support": [[0.5], [0.4], [0.5]]})
    assert 0 < compare(a, b).wilcoxon_p_value < 1


def test_modes_and_steps_may_differ():
    a = report({"support": [[0.1, 0.5], [0.1, 0.6]], "transductive": [[0.2, 0.9], [0.2, 0.9]]})
    comparison = compare(a, a, statistics=("transductive", "support"), step=(0, 1))
    assert comparison.difference == pytest.approx(0.2 - 0.55)
    assert comparison.statistics == ("transductive", "support")


def test_other_episodes_are_refused():
    a = report({"support": BETTER})
    with pytest.raises(ValueError, match="same episodes.*seed 7"):
        compare(a, report({"support": HARDNESS}, fingerprint="g", seed=7))
    with pytest.raises(ValueError, match="99 episodes"):
        compare(a, report({"support": HARDNESS[:99]}))


def test_another_metric_is_refused():
    with pytest.raises(ValueError, match="one metric"):
        compare(report({"support": BETTER}), report(loss={"support": BETTER}))


def test_a_comparison_can_be_read_and_stored():
    comparison = compare(report({"support": BETTER}, name="A"), report({"support": HARDNESS}))
    assert str(comparison).startswith("A (support) minus MAML (support): +")
    assert json.loads(json.dumps(comparison.to_json()))["names"] == ["A", "MAML"]
