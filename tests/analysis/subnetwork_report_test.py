import json

import numpy as np
import pytest

from tests.helpers.analysis_reports import report
from tfmgaug.analysis.subnetwork_report import _shown_steps
from tfmgaug.evaluation import half_width


def test_gaps_are_paired_task_by_task():
    accuracy = np.array([[[0.2, 0.8], [0.1, 0.6]], [[0.4, 0.9], [0.3, 0.7]]])
    measured = report(accuracy)
    assert measured.summary(0, 1).mean == pytest.approx(0.85)
    gap = measured.gap(1, 0)
    # Tasks differ by 0.2, the two networks by 0.1 on each: the gap is known exactly.
    assert (gap.mean, gap.interval) == (pytest.approx(-0.1), pytest.approx(0, abs=1e-7))
    assert measured.summary(0, 0).interval == pytest.approx(half_width(0.1, 2))
    assert (measured.tasks, measured.steps, measured.metric) == (2, 1, "accuracy")


def test_json_holds_means_gaps_and_every_task():
    accuracy = np.array([[[0.2], [0.1]], [[0.4], [0.5]]])
    described = json.loads(json.dumps(report(accuracy, loss=accuracy + np.nan).to_json()))
    pruned = described["networks"][1]
    assert (pruned["name"], pruned["rate"]) == ("2 % pruned", 0.02)
    assert pruned["accuracy"]["mean"] == [pytest.approx(0.3)]
    assert pruned["accuracy"]["gap"] == [pytest.approx(0, abs=1e-7)]
    assert pruned["loss"]["mean"] == [None]
    assert described["per_task"]["accuracy"] == accuracy.tolist()
    assert "per_task" not in report(accuracy).to_json(per_task=False)


def test_regression_has_no_accuracy():
    measured = report(None, loss=np.zeros([2, 2, 1]))
    assert measured.metric == "loss"
    with pytest.raises(ValueError, match="accuracy"):
        measured.values("accuracy")


def test_long_tables_leave_steps_out():
    assert _shown_steps(5) == [0, 1, 2, 3, 4, 5]
    assert _shown_steps(20) == [0, 3, 6, 9, 12, 15, 18, 20]
    assert _shown_steps(0) == [0]


def test_its_text_is_a_table_of_networks_and_steps():
    accuracy = np.array([[[0.2, 0.8], [0.1, 0.6]], [[0.4, 0.9], [0.3, 0.7]]])
    title, head, full, pruned = str(report(accuracy)).splitlines()
    assert "mean ± 95 % interval over 2 tasks" in title
    assert head.split() == ["pruned", "step", "0", "step", "1"]
    assert full.startswith("full network")
    assert "85.0 ± " in full
    assert "65.0 ± " in pruned
