import json

import numpy as np
import pytest

from tests.helpers.analysis_reports import layer_report
from tfmgaug.evaluation import half_width


def test_summaries_are_over_the_tasks_that_have_a_value():
    report = layer_report({"cka": [[0.2, np.nan], [0.4, 0.5], [0.6, np.nan]]})
    summary = report.summary("cka", "stage1")
    assert summary.mean == pytest.approx(0.4)
    assert summary.interval == pytest.approx(half_width(0.2 / 3**0.5, 3))
    assert np.isnan(report.summary("cka", "stage2").mean)
    assert (report.tasks, report.summary("cka", "stage2").episodes) == (3, 1)


def test_json_holds_every_layer_and_none_where_nothing_is_defined():
    report = layer_report({"cka": [[0.2, np.nan], [0.4, 0.5]]})
    described = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert described["layers"]["stage1"]["cka"]["mean"] == pytest.approx(0.3)
    assert described["layers"]["stage2"]["cka"] == {"mean": None, "interval": None, "tasks": 1}
    assert (described["name"], described["dataset"]) == ("MAML", "toy/test")


@pytest.mark.parametrize(("measure", "layer"), [("loss", "stage1"), ("cka", "stage9")])
def test_what_was_not_measured_is_refused(measure, layer):
    with pytest.raises(ValueError, match="Expected one of"):
        layer_report({"cka": [[0.2, 0.3], [0.4, 0.5]]}).summary(measure, layer)
