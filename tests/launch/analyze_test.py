"""Analyses of a run, in this process, and the command, as a user runs it."""

import json
import pathlib
import subprocess
import sys
import types

import keras
import numpy as np
import pytest

from launch import tasks
from launch.analyses import (
    attention,
    bound,
    curves,
    finetuning,
    gradients,
    hat,
    importance,
    landscape,
)
from tests.helpers.recorded_runs import DATA_FLAGS, open_run, pictures
from tfmgaug import MGAug
from tfmgaug.analysis import landscape as measure_landscape
from tfmgaug.analysis import pac_bayes_bound
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import FOMAML
from tfmgaug.masks import CatfishMask

ROOT = pathlib.Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("unoptimized_graphs")


def backbone():
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = keras.layers.Conv2D(4, 3, strides=2, activation="relu", name="conv")(x)
    return keras.Model(inputs, keras.layers.Dense(3, name="head")(keras.layers.Flatten()(x)))


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    """What a finished run leaves behind, without having trained."""
    root = tmp_path_factory.mktemp("runs")
    path = root / "first"
    (path / "checkpoints").mkdir(parents=True)
    learner = FOMAML(
        backbone(),
        inner_steps=2,
        inner_learning_rate=0.1,
        augmentation=MGAug(CatfishMask((0.0, 0.1)), subnetworks=1),
    )
    learner.compile()
    learner.save(path / "learner.keras")
    saved = {
        **DATA_FLAGS, "data": "folder", "data_dir": str(pictures(root / "pictures")), "way": 3,
        "query": 2, "cache_dir": str(root / "cache"), "seed": 1, "train_way": None,
        "train_query": 3, "mutually_exclusive": True, "mask": "catfish", "mgaug_from_epoch": 1,
    }  # fmt: skip
    (path / "flags.json").write_text(json.dumps(saved))
    history = [
        {"epoch": 0, "loss": 2.0, "accuracy": 0.3, "val_loss": 2.5, "val_accuracy": 0.2},
        {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "val_loss": 1.5, "val_accuracy": 0.4},
    ]
    (path / "checkpoints" / "history.json").write_text(json.dumps(history))
    return path


def test_the_hat_graph_is_of_the_tasks_of_evaluation(run_dir):
    run = open_run(run_dir)
    drawn = hat.analyze([run], rates=[0.1], masks=["width", "catfish"], episodes=4)
    sampler = tasks.test_sampler(run.settings)
    report = evaluate(run.learner, sampler, episodes=4, statistics="transductive")
    widths, catfish = drawn.results
    for described in (widths, catfish):
        mean = described["networks"][0]["accuracy"]["mean"]
        np.testing.assert_allclose(mean, report.values().mean(axis=0), rtol=1e-6)
        assert described["fingerprint"] == report.fingerprint
    assert (widths["reads_query_labels"], catfish["reads_query_labels"]) == (False, True)
    assert [axes.get_title(loc="left") for axes in drawn.figure.axes] == [
        "(a) first, WP",
        "(b) first, CP",
    ]
    assert "mask reads query labels" in drawn.text


def test_the_landscape_of_trained_runs_is_that_of_their_tasks(run_dir):
    run = open_run(run_dir)
    drawn = landscape.analyze([run], plot="runs", steps=1, episodes=4)
    expected = measure_landscape(run.learner, run.sampler, 4, steps=1)
    metrics = expected.to_json()["metrics"]
    for metric, summary in drawn.results[0]["metrics"].items():
        np.testing.assert_allclose(summary["mean"], metrics[metric]["mean"], rtol=1e-4)
    assert "first: 4 tasks" in drawn.text


def test_the_landscape_over_epochs_is_what_was_measured_in_training(run_dir, tmp_path):
    run = open_run(run_dir)
    with pytest.raises(ValueError, match="trained without --landscape_every"):
        landscape.analyze([run])
    x, y = np.arange(5.0), np.array([0.1, 0.3, 0.2, 0.5, 0.4])
    rows = [
        {
            "epoch": n,
            "landscape/query_accuracy": a,
            **{f"landscape/{name}": c for name in ("support_loss", "curvature")},
            **dict.fromkeys(["landscape/support_loss_interval"], 0.1),
            **dict.fromkeys(["landscape/curvature_interval"], 0.1),
            "landscape/query_accuracy_interval": 0.1,
        }
        for n, (c, a) in enumerate(zip(x, y))
    ]
    measured = types.SimpleNamespace(name="FOMAML", path=run.path, history=rows)
    for plot in ("curves", "correlation"):
        drawn = landscape.analyze([measured], plot=plot)
        assert [row["metric"] for row in drawn.results] == ["curvature", "support_loss"]
        np.testing.assert_allclose(
            drawn.results[0]["pearson"]["coefficient"], np.corrcoef(x, y)[0, 1]
        )
        assert "FOMAML, curvature: 0.80 [" in drawn.text


def test_fine_tuning_takes_the_steps_asked_for(run_dir):
    drawn = finetuning.analyze([open_run(run_dir)], steps=3, rates=[0.1], episodes=4)
    (described,) = drawn.results
    assert described["steps"] == 3
    assert [network["name"] for network in described["networks"]] == [
        "full network",
        "10 % pruned",
        "random initialization",
    ]


def test_importance_is_of_the_layers_that_can_be_pruned(run_dir):
    drawn = importance.analyze([open_run(run_dir)], rates=[0.5], episodes=4)
    assert list(drawn.results[0]["layers"]) == ["conv"]
    assert "first, conv: the highest 50 % of the weights carry" in drawn.text
    with pytest.raises(ValueError, match="one rate"):
        importance.analyze([open_run(run_dir)], rates=[0.1, 0.2])


def test_runs_of_one_name_share_a_panel(run_dir):
    run = open_run(run_dir)
    chosen = {"rates": [0.1], "masks": ["width"], "episodes": 2}
    (alone,) = hat.analyze([run], **chosen).results
    (both,) = hat.analyze([run, run], **chosen).results
    assert both["name"] == "first, WP (mean of 2 runs)"
    assert both["networks"] == alone["networks"]
    (described,) = importance.analyze([run, run], rates=[0.5], episodes=2).results
    assert described["name"] == "first (mean of 2 runs)"


def test_attention_is_of_one_task_of_one_run(run_dir):
    drawn = attention.analyze([open_run(run_dir)], task=2, rates=[0.1])
    described = drawn.results[0]
    assert (described["task"], described["stage"], described["labels"]) == (2, "conv", [0, 1, 2])
    assert len(drawn.figure.axes) == 3 * 3 + 1
    with pytest.raises(ValueError, match="one run"):
        attention.analyze([open_run(run_dir)] * 2)


def test_curves_are_of_all_epochs_and_mark_where_mgaug_began(run_dir):
    drawn = curves.analyze([open_run(run_dir), open_run(run_dir)])
    assert "best 40.00 % in epoch 2" in drawn.text
    assert drawn.results[0]["mgaug_from_epoch"] == 1
    assert [row["loss"] for row in drawn.results[0]["epochs"]] == [2.0, 1.0]
    # Two runs of one name: a curve, and a mark.
    assert len(drawn.figure.axes[0].lines) == 2
    assert drawn.figure.axes[0].lines[1].get_xdata()[0] == 1.5


def test_the_bound_is_of_training_tasks_and_tells_its_arguments(run_dir):
    run = open_run(run_dir)
    drawn = bound.analyze([run], rates=[0.2], delta=0.1, episodes=4)
    arguments = drawn.results[0]["arguments"]
    squared = sum((v.numpy() ** 2).sum() for v in run.learner.backbone.trainable_variables)
    assert arguments["squared_norms"] == pytest.approx(squared, rel=1e-5)
    assert arguments["divergence"] == pytest.approx(squared / 2, rel=1e-5)
    assert (arguments["samples"], arguments["rate"], arguments["tasks"]) == (9, 0.2, 4)
    error = drawn.results[0]["empirical_error"]
    expected = pac_bayes_bound([error] * 4, 9, squared, 0.2, squared / 2, 0.1)
    assert drawn.results[0]["bound"] == pytest.approx(expected.bound, rel=1e-5)
    assert run.training_sampler.classes.name.endswith("train")
    assert (run.training_sampler.seed, run.training_sampler.query) == (1, 3)


def test_a_runs_gradients_are_checked_in_float64(run_dir):
    (described,) = gradients.analyze([open_run(run_dir)], episodes=2, directions=1).results
    assert described["passed"], described["words"]
    assert (described["dtype"], described["subnetworks"]) == ("float64", 1)


def test_flags_override_the_runs_own_and_other_data_leaves_its_place_behind(run_dir):
    own, given = open_run(run_dir).settings, open_run(run_dir, query=3, test_classes="train")
    assert (own.data, own.way, own.query) == ("folder", 3, 2)
    assert given.settings.query == given.sampler.query == 3
    assert given.sampler.classes.name.endswith("train")
    other = open_run(run_dir, data="omniglot").settings
    assert (other.data, other.data_dir, other.way) == ("omniglot", None, 3)


def test_a_run_on_fixed_labels_is_looked_at_with_them(run_dir, tmp_path):
    saved = json.loads((run_dir / "flags.json").read_text())
    changed = {**saved, "mutually_exclusive": False, "train_classes": 3}
    (tmp_path / "flags.json").write_text(json.dumps(changed))
    assert not open_run(tmp_path).settings.test_mutually_exclusive
    assert open_run(tmp_path).settings.train_classes is None
    shown = open_run(tmp_path, test_classes="train", test_mutually_exclusive=True).settings
    assert shown.test_mutually_exclusive
    assert shown.train_classes == 3


def test_what_does_not_fit_or_exist_is_refused(run_dir, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"flags\.json"):
        open_run(tmp_path)
    with pytest.raises(ValueError, match="3-way"):
        open_run(run_dir, way=2).sampler  # noqa: B018


ASKED = [
    ["hat", "--episodes=2", "--rates=0.1", "--names=mine"],
    ["hat", "--episodes=2", "--rates=0.1", "--names=mine"],
    ["curves", "--rates=0.1"],
    ["hat", "--test_episodes=3"],
    ["curves", "--query=3"],
    ["input_masks", "--query=3"],
    ["hats"],
    [],
    ["curves", "--names=a,b"],
    ["landscape", "--episodes=3", "--shot=2"],
    ["hat", "--masks=magnitude"],
    ["hat", "--download"],
]
# One process for all commands: each would import TensorFlow anew.
SCRIPT = """
import json, sys
from absl import flags
from launch import analyze
commands, run, output = json.loads(sys.argv[1])
flags.FLAGS.unparse_flags()
for words in commands:
    for name in flags.FLAGS:
        flags.FLAGS[name].unparse()
    given = flags.FLAGS(["analyze", *words, f"--runs={run}", f"--output_dir={output}"])
    try:
        analyze.main(given)
    except SystemExit as error:
        print(str(error).splitlines()[0])
"""


def test_the_command_writes_and_refuses_in_one_line_what_it_would_pass_over(run_dir, tmp_path):
    arguments = json.dumps([ASKED, str(run_dir), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, arguments], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "hat.png").read_bytes().startswith(b"\x89PNG")
    written = json.loads((tmp_path / "hat.json").read_text())
    assert (written["analysis"], written["results"][0]["name"]) == ("hat", "mine, CP")
    assert str(tmp_path / "hat.png") in done.stdout
    refused = [line for line in done.stdout.splitlines() if line.startswith("Error: ")]
    expected = [
        f"{tmp_path / 'hat.json'} and {tmp_path / 'hat.png'} exist",
        "--rates has no meaning for `curves`",
        "--test_episodes has no meaning for `hat`",
        "--query has no meaning for `curves`",
        "--query has no meaning for `input_masks`, which takes --names, --output_dir",
        "Expected one of attention, bound, ",
        "Expected one of attention, bound, ",
        "--names must name each of the 1 runs",
        "These flags belong to --plot=runs. Received: --shot, --episodes with --plot=curves",
        "--masks must be of catfish, parameter, width. Received: magnitude",
        "This flag belongs to --data=omniglot, ",
    ]
    assert len(refused) == len(expected), done.stdout
    for line, words in zip(refused, expected):
        assert line.startswith(f"Error: {words}")
