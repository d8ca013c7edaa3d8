"""What the flags of the landscape stand for, and where they are refused."""

import pathlib
from types import SimpleNamespace

import pytest

from launch import landscape_flags, learner_flags, regularizer_flags
from launch.construction import landscape
from tests.helpers.short_training import sampler
from tests.helpers.toys import toy_classes
from tfmgaug.callbacks import CoherenceStopping, LandscapeMonitor
from tfmgaug.data import LabeledSampler

FLAGS = {
    **dict.fromkeys(("landscape_tasks", "landscape_curvature", "landscape_seconds")),
    "coherence_tasks": None,
    "landscape_every": None,
    "coherence_patience": None,
    "batch_size": None,
    "strided": False,
    "backbone": "conv4",
    "learner": "maml",
    "mask": "none",
    "regularizers": [],
    "seed": 3,
}
JOB = SimpleNamespace(test=sampler(), validation=sampler())
DIRECTORY = SimpleNamespace(figures=pathlib.Path("figures"))


def options(**given):
    return SimpleNamespace(**{**FLAGS, **given})


def test_nothing_is_measured_unless_asked_for():
    assert landscape.monitors(options(), JOB, DIRECTORY, []) == []
    assert landscape.monitored(options()) is None


def test_flags_reach_the_callbacks():
    given = options(
        landscape_every=5,
        landscape_tasks=7,
        landscape_curvature=False,
        landscape_seconds=9.0,
        coherence_patience=3,
    )
    rows = [{"epoch": 0}, {"epoch": 1, "landscape/support_loss": 1.0, "gradient_coherence": 2.0}]
    monitor, stopping = landscape.monitors(given, JOB, DIRECTORY, rows)
    assert isinstance(monitor, LandscapeMonitor)
    assert (monitor.every, monitor.tasks, monitor.max_seconds) == (5, 7, 9.0)
    assert monitor.history == rows[1:]
    assert isinstance(stopping, CoherenceStopping)
    assert (stopping.patience, stopping.tasks) == (3, 60)
    assert not stopping.restore_best_weights
    assert landscape.monitored(given) == "gradient_coherence"


def test_the_baseline_learns_all_classes_from_labeled_images():
    classes = toy_classes(classes=6)
    given = options(learner="fine_tuning", batch_size=8)
    train = landscape.labeled_images(given, classes, None)
    assert isinstance(train, LabeledSampler)
    assert (train.batch, train.seed) == (8, 3)
    assert landscape.labeled_images(options(), classes, None).batch == 64
    assert landscape.learner_options(given, train) == {"classes": 6}
    assert landscape.first_of_step(train, 5) == 40
    assert landscape.first_of_step(sampler(), 5) == 5 * sampler().tasks


def test_the_baseline_refuses_mgaug_by_name():
    given = options(learner="fine_tuning", mask="catfish", epochs=2)
    with pytest.raises(ValueError, match="no tasks in training.*Received: --mask=catfish"):
        landscape_flags.check(given)


def test_the_baseline_and_the_penalty_are_there_to_be_chosen():
    assert "fine_tuning" in learner_flags.LEARNERS
    assert "trajectory_coherence" in regularizer_flags.REGULARIZERS
