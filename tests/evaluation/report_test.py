import dataclasses
import json

import numpy as np
import pytest

from tests.helpers.evaluation_reports import report
from tfmgaug.evaluation import Report, half_width

ROWS = [[0.2, 0.4], [0.2, 0.8]]


def test_json_holds_mean_deviation_and_interval_per_step():
    fields = json.loads(json.dumps(report({"support": ROWS}, {"support": ROWS}).to_json()))
    accuracy = fields["statistics"]["support"]["accuracy"]
    np.testing.assert_allclose(accuracy["mean"], [0.2, 0.6], rtol=1e-6)
    np.testing.assert_allclose(accuracy["interval"], [0.0, half_width(0.2, 2)], atol=1e-6)
    assert (fields["episodes"], fields["inner_steps"], fields["metric"]) == (2, 1, "accuracy")
    assert fields["seed"] == 0


def test_json_with_episodes_gives_the_report_back():
    modes = {"support": ROWS, "transductive": ROWS[::-1]}
    first = report(modes, modes)
    again = Report.from_json(json.loads(json.dumps(first.to_json(per_episode=True))))
    np.testing.assert_array_equal(again.values("transductive"), first.values("transductive"))
    assert again.to_json() == first.to_json()
    with pytest.raises(ValueError, match="per_episode"):
        Report.from_json(first.to_json())


def test_json_has_no_nan():
    fields = report(loss={"support": [[1.0, np.nan], [1.0, 2.0]]}).to_json(per_episode=True)
    assert "null" in json.dumps(fields, allow_nan=False)


def test_titles_say_what_is_known_of_the_episodes():
    def title(metric, **settings):
        values = {"loss": {"none": ROWS}, metric: {"none": ROWS}}
        made = report(values.get("accuracy"), values["loss"])
        return dataclasses.replace(made, dataset="waves", **settings).title().split(":")[0]

    assert title("loss", way=None, shot=None) == "Query loss on waves, regression"
    assert title("loss", way=None, shot=5) == "Query loss on waves, 5-shot regression"
    assert title("accuracy", way=None, shot=None) == "Query accuracy, % on waves"
    assert title("accuracy", way=5, shot=1) == "Query accuracy, % on waves, 5-way 1-shot"


def test_table_has_a_row_per_step_and_aligned_columns():
    both = report({"transductive": ROWS, "support": ROWS})
    floor = report({"none": [[0.4], [0.5]]}, name="pixel floor")
    title, _, names, modes, rule, before, after = both.table(floor).split("\n")
    assert "2 episodes" in title
    assert "toy/test, 5-way 1-shot" in title
    assert names.split() == ["MAML", "MAML", "pixel", "floor"]
    assert modes.split() == ["transductive", "support"]
    assert before.split() == ["before", "adaptation", "20.00", "±", "0.00", "20.00", "±", "0.00"]
    assert after.endswith("45.00 ± 63.53")
    assert len(after) == len(rule) == len(names)


def test_losses_and_accuracies_do_not_share_a_table():
    with pytest.raises(ValueError, match="one table"):
        report({"support": ROWS}).table(report(loss={"support": ROWS}))


def test_regression_reports_show_the_loss():
    regression = report(loss={"support": [[4.0, 1.0], [2.0, 1.0]]}, way=None, shot=5)
    assert regression.metric == "loss"
    assert "5-shot regression" in regression.title()
    assert "3 ±" in regression.table()


def test_unknown_modes_and_metrics_are_refused():
    with pytest.raises(ValueError, match="running"):
        report({"support": ROWS}).values("running")
    with pytest.raises(ValueError, match="loss"):
        report({"support": ROWS}).values(metric="loss")
