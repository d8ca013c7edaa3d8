"""The analyses of the Meta-ticket paper, on runs that did not have to be trained."""

import json

import keras
import numpy as np
import pytest

from launch.analyses import gradient_norms, input_masks, representation, sparsity, widths
from launch.analyses.runs import Run
from launch.registry import LEARNERS
from tests.helpers.recorded_runs import DATA_FLAGS, open_run, pictures
from tfmgaug.analysis.task_gradients import MEASURES
from tfmgaug.backbones import mlp
from tfmgaug.evaluation import summarize
from tfmgaug.learners import ANIL, MAML, MetaTicket
from tfmgaug.masks import ScoreMask

pytestmark = pytest.mark.usefixtures("unoptimized_graphs")


def epochs(gradients, sparsities):
    """A history of two epochs, of which the second was measured."""
    rows = [
        {"epoch": k, "step": 3 * (k + 1), "loss": 1.0, "mask_sparsity/dense1_kernel": share}
        for k, share in enumerate(sparsities)
    ]
    if gradients:
        rows[1]["gradient_mean_absolute/dense1_kernel"] = 0.1
        rows[1]["gradient_mean_absolute_kept/dense1_kernel"] = 0.25
    return rows


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """Writes what a run leaves behind."""
    root = tmp_path_factory.mktemp("runs")
    data = str(pictures(root / "pictures"))

    def run(name, kind=None, history=(), accuracy=None, **saved):
        path = root / name
        (path / "checkpoints").mkdir(parents=True)
        if kind is not None:
            mask = {"score_mask": ScoreMask(0.5)} if kind is MetaTicket else {}
            learner = kind(mlp(3, (8, 8, 3), (6,)), inner_steps=1, inner_learning_rate=0.5, **mask)
            learner.compile(keras.optimizers.SGD())
            learner.save(path / "learner.keras")
        flags = {
            **DATA_FLAGS, "data": "folder", "data_dir": data, "way": 3, "query": 2, "seed": 0,
            "cache_dir": str(root / "cache"), "mutually_exclusive": True, "backbone": "mlp",
            "hidden": [6], "width_factor": None, "learner": "maml", **saved,
        }  # fmt: skip
        (path / "flags.json").write_text(json.dumps(flags))
        if history:
            (path / "checkpoints" / "history.json").write_text(json.dumps(history))
        if accuracy is not None:
            report = {"accuracy": accuracy, "interval": 0.01, "dataset": "folder/test"}
            (path / "report.json").write_text(json.dumps(report))
        return path

    return run


@pytest.fixture(scope="module")
def trained(write):
    shares = {"sparsities": (0.5, 0.6)}
    return {
        "ticket": write("ticket", MetaTicket, epochs(True, **shares), learner="meta_ticket"),
        "maml": write("maml", MAML, epochs(False, **shares)),
        "anil": write("anil", ANIL, [{"epoch": 0, "loss": 1.0}], learner="anil"),
    }


def test_gradients_are_of_history_and_of_the_trained_learner(trained):
    drawn = gradient_norms.analyze([open_run(trained["ticket"])], episodes=4)
    (described,) = drawn.results
    assert described["epochs"] == [{"epoch": 1, "mean_absolute_kept": 0.25}]
    assert (described["weight"], described["tasks"]) == ("dense1_kernel", 4)
    assert set(described["layers"]["head_kernel"]) == set(MEASURES)
    training, _ = drawn.figure.axes
    np.testing.assert_allclose(training.lines[0].get_xydata(), [[2, 0.25]])
    assert "in training 0.25 at first" in drawn.text


def test_gradients_that_counted_pruned_entries_are_named_and_not_drawn(write):
    rows = [{"epoch": 0, "step": 3, "loss": 1.0, "gradient_mean_absolute/dense1_kernel": 0.1}]
    run = open_run(write("earlier", MetaTicket, rows, learner="meta_ticket"))
    drawn = gradient_norms.analyze([run], episodes=4)
    assert len(drawn.figure.axes) == 1
    assert "measured by version 0.1, over pruned entries too: not drawn" in drawn.text


def test_gradients_without_history_are_those_of_the_trained_learner_alone(trained):
    runs = [open_run(trained["maml"]), open_run(trained["anil"])]
    drawn = gradient_norms.analyze(runs, layer="head_kernel", episodes=4)
    assert len(drawn.figure.axes) == 1
    assert [described["weight"] for described in drawn.results] == ["head_kernel"] * 2
    with pytest.raises(ValueError, match="of dense1_kernel: maml"):
        gradient_norms.analyze([open_run(trained["ticket"]), runs[0]], episodes=4)
    with pytest.raises(ValueError, match="one of .*'dense1_kernel', 'head_kernel'"):
        gradient_norms.analyze(runs, layer="conv1", episodes=4)


def test_representations_are_compared_stage_by_stage(trained):
    drawn = representation.analyze(
        [open_run(trained["anil"]), open_run(trained["maml"])], episodes=4
    )
    anil, maml = drawn.results
    assert list(anil["layers"]) == ["stage1", "head"]
    assert anil["layers"]["stage1"]["cka"]["mean"] == 1
    assert maml["layers"]["stage1"]["cka"]["mean"] < 1
    assert anil["fingerprint"] == maml["fingerprint"]
    assert "anil: CKA before and after adaptation stage1 1.000 ± 0.000" in drawn.text


def test_sparsity_is_that_of_the_history(trained):
    drawn = sparsity.analyze([open_run(trained["ticket"])])
    shares = [row["layers"]["dense1_kernel"] for row in drawn.results[0]["epochs"]]
    assert shares == [0.5, 0.6]
    assert "pruned after epoch 2: dense1_kernel 60.00 %" in drawn.text
    np.testing.assert_allclose(drawn.figure.axes[0].lines[0].get_ydata(), [50, 60])
    with pytest.raises(ValueError, match="whose history holds none"):
        sparsity.analyze([open_run(trained["anil"])])


def test_input_masks_are_those_of_one_ticket(trained):
    run = open_run(trained["ticket"])
    (described,) = input_masks.analyze([run], units=3).results
    mask = np.asarray(run.learner.score_mask.masks()["dense1_kernel"])
    np.testing.assert_array_equal(np.reshape(described["masks"], (3, -1)).T, mask[:, :3])
    np.testing.assert_allclose(np.ravel(described["kept_by_pixel"]), mask.mean(axis=1))
    assert (described["units"], described["image_shape"]) == (6, [8, 8, 3])
    with pytest.raises(TypeError, match="MetaTicket"):
        input_masks.analyze([open_run(trained["maml"])])
    with pytest.raises(ValueError, match="one run"):
        input_masks.analyze([run, run])


def test_widths_are_averaged_over_seeds_a_line_for_each_learner(write):
    paths = [
        write("w1", accuracy=0.5),
        write("w4", accuracy=0.6, width_factor=4.0),
        write("w4b", accuracy=0.8, width_factor=4.0, seed=1),
        write("t4", accuracy=0.7, width_factor=4.0, learner="meta_ticket", iterand_every=9),
    ]
    runs = [open_run(path) for path in paths]
    drawn = widths.analyze(runs)
    narrow, four, ticket = drawn.results
    assert (narrow["name"], narrow["width_factor"], narrow["mean"], narrow["interval"]) == (
        "MAML",
        1,
        0.5,
        None,
    )
    assert (four["mean"], four["seeds"]) == (pytest.approx(0.7), [0, 1])
    assert four["interval"] == pytest.approx(summarize([0.6, 0.8]).interval)
    assert (ticket["name"], ticket["runs"]) == ("Meta-ticket + IteRand", [str(paths[3])])
    assert "factor 4: 70.00 ± 127.06 % (95 % interval over 2 seeds, Student's t)" in drawn.text
    named = widths.analyze([Run(paths[1], "w4", {}), Run(paths[3], "t4", {})])
    assert [point["name"] for point in named.results] == ["w4", "t4"]


def test_lines_are_named_after_any_learner(write):
    for learner in LEARNERS.rows:
        path = write(f"of_{learner}", accuracy=0.5, learner=learner)
        (point,) = widths.analyze([open_run(path)]).results
        assert point["name"].lower().replace("-", "_")[:4] == learner[:4]


def test_widths_of_runs_that_differ_in_something_else_are_refused(write):
    first = write("first", accuracy=0.5)
    refused = {
        "of seed 0 for 'MAML'": write("again", accuracy=0.5),
        "--shot of 1 and 5": write("shot", accuracy=0.5, shot=5),
        "Expected runs of MLPs": write("conv", accuracy=0.5, backbone="conv4"),
    }
    for message, path in refused.items():
        with pytest.raises(ValueError, match=message):
            widths.analyze([open_run(first), open_run(path)])
    with pytest.raises(FileNotFoundError, match=r"report\.json is missing"):
        widths.analyze([open_run(write("unfinished"))])
