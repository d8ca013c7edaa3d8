"""What is analyzed of runs with network pruning, from what they have written down."""

import json

import pytest

from launch.analyses import capacity, curves, gap, sensitivity
from launch.analyses.runs import Run
from tests.helpers.recorded_runs import DATA_FLAGS
from tfmgaug.backbones import mlp
from tfmgaug.learners import Reptile
from tfmgaug.masks import MagnitudeMask

KEYS = ("training_classes_accuracy", "test_classes_accuracy")


@pytest.fixture
def make(tmp_path):
    def make(name="a", label=None, history=(), accuracy=0.5, **flags):
        path = tmp_path / name
        (path / "checkpoints").mkdir(parents=True)
        saved = {
            **DATA_FLAGS, "mutually_exclusive": True, "pruning": "dsd", "pruning_rates": ["0.4"],
            "pruning_dense": 3, "pruning_sparse": 5, "pruning_retrain": None, "epochs": 2,
            "steps_per_epoch": 10, "tasks": 4, **flags,
        }  # fmt: skip
        (path / "flags.json").write_text(json.dumps(saved))
        (path / "checkpoints" / "history.json").write_text(json.dumps(list(history)))
        report = {"accuracy": accuracy, "interval": 0.01}
        (path / "report.json").write_text(json.dumps(report))
        return Run(path, label, {})

    return make


def rows(first, second, keys=KEYS):
    return [{"epoch": n, keys[0]: a, keys[1]: b} for n, (a, b) in enumerate(zip(first, second))]


def test_the_gap_is_training_minus_test_in_every_epoch(make):
    runs = [
        make("a", "0 %", rows([0.5, 0.9], [0.4, 0.5])),
        make("b", "40 %", rows([0.5, 0.7], [0.4, 0.6])),
    ]
    drawn = gap.analyze(runs)
    gaps = [[epoch["accuracy_gap"] for epoch in described["epochs"]] for described in drawn.results]
    assert gaps == [pytest.approx([0.1, 0.4]), pytest.approx([0.1, 0.1])]
    assert "90.00 % on training classes, 50.00 % on test classes, gap 40.00 points" in drawn.text
    assert drawn.figure is not None
    assert "--gap_episodes" not in drawn.text


def test_curves_are_of_test_classes_where_these_were_tested_and_else_of_validation(make):
    logs = {"loss": 1.0, "val_loss": 1.2, "accuracy": 0.6, "val_accuracy": 0.5}
    tests = {"test_classes_loss": 1.1, "test_classes_accuracy": 0.55}
    plain = make("a", None, [{"epoch": 0, **logs}], mask="none")
    tested = make("b", None, [{"epoch": 0, **logs, **tests}], mask="none")
    titles = [axes.get_title("left") for axes in curves.analyze([tested]).figure.axes]
    assert titles == ["training loss", "test loss", "training accuracy", "test accuracy"]
    assert curves.analyze([tested]).results[0]["epochs"][0]["test_classes_accuracy"] == 0.55
    titles = [axes.get_title("left") for axes in curves.analyze([plain, tested]).figure.axes]
    assert not any("test" in title for title in titles)


def test_without_it_training_is_compared_to_validation_and_says_so(make):
    runs = [make("a", None, rows([0.5], [0.4], ("accuracy", "val_accuracy")))]
    drawn = gap.analyze([*runs, make("b", None, rows([0.5], [0.3], ("accuracy", "val_accuracy")))])
    assert "Train with --gap_episodes" in drawn.text
    assert drawn.results[1]["epochs"][0]["accuracy_gap"] == pytest.approx(0.2)
    with pytest.raises(ValueError, match="has no accuracy and val_accuracy"):
        gap.analyze([make("c", None, [{"epoch": 0, "loss": 1.0}])])


@pytest.mark.parametrize(
    ("flags", "over", "expected"),
    [
        ({}, "dense", 3),
        ({}, "retrain", 20 - 3 - 5),
        ({"pruning_retrain": 0}, "retrain", 0),
        ({"pruning": "iht", "pruning_retrain": 15}, "retrain", 15),
        ({"pruning": "iht", "pruning_retrain": 15}, "ratio", 25),
        ({"pruning": "iht", "pruning_retrain": 15}, "interval", 20),
    ],
)
def test_accuracy_is_drawn_over_a_length_of_the_run(flags, over, expected, make):
    drawn = sensitivity.analyze([make(accuracy=0.6, **flags)], over=over)
    (point,) = drawn.results
    assert (point[over], point["accuracy"]) == (expected, 0.6)
    assert drawn.figure.axes[0].get_xlabel() == sensitivity.AXES[over]


def test_runs_without_such_a_length_are_refused(make):
    with pytest.raises(ValueError, match="runs with --pruning"):
        sensitivity.analyze([make(pruning="none")])
    with pytest.raises(ValueError, match="--over=ratio is of IHT"):
        sensitivity.analyze([make("b")], over="ratio")


def test_the_order_counts_what_a_sparse_phase_keeps(make):
    run = make()
    learner = Reptile(mlp(3, (4,), hidden=(5,)), magnitude_mask=MagnitudeMask(0.4))
    learner.compile()
    learner.save(run.path / "learner.keras")
    (order,) = capacity.analyze([run]).results
    weights = learner.backbone.trainable_variables
    assert order["parameters"] == sum(v.shape.num_elements() for v in [w.value for w in weights])
    assert order["parameters"] - order["kept"] == int(0.4 * 20) + int(0.4 * 15)
    assert order["tasks"] == 2 * 10 * 4
    assert order["arguments"]["eta"] == 0.001
    assert 0 < order["ratio"] < 1
