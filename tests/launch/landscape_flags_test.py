"""The flags of the landscape: their meaning, and where they are refused."""

import pathlib
from types import SimpleNamespace

import pytest

from launch import checks, tasks
from launch.construction import learner
from launch.construction.callbacks import build_monitors, monitored
from launch.jobs.train import _first_of_step
from tests.helpers.short_training import sampler
from tests.helpers.toys import toy_classes
from tests.launch.experiments import make
from tfmgaug.callbacks import CoherenceStopping, LandscapeMonitor
from tfmgaug.data import LabeledSampler

JOB = SimpleNamespace(test=sampler(), validation=sampler())
DIRECTORY = SimpleNamespace(figures=pathlib.Path("figures"))


def test_nothing_is_measured_unless_asked_for():
    assert build_monitors(make(), JOB, DIRECTORY, []) == []
    assert monitored(make()) is None


def test_flags_reach_the_callbacks():
    given = make(
        landscape_every=5,
        landscape_tasks=7,
        landscape_curvature=False,
        landscape_max_seconds=9.0,
        coherence_patience=3,
    )
    rows = [{"epoch": 0}, {"epoch": 1, "landscape/support_loss": 1.0, "gradient_coherence": 2.0}]
    monitor, stopping = build_monitors(given, JOB, DIRECTORY, rows)
    assert isinstance(monitor, LandscapeMonitor)
    assert (monitor.every, monitor.tasks, monitor.max_seconds) == (5, 7, 9.0)
    assert monitor.history == rows[1:]
    assert monitor._options == {"curvature": False}
    assert isinstance(stopping, CoherenceStopping)
    assert (stopping.patience, stopping.tasks) == (3, 60)
    assert not stopping.restore_best_weights
    assert monitored(given) == "gradient_coherence"


def test_the_baseline_learns_all_classes_from_labeled_images():
    classes = toy_classes(classes=6)
    given = make(learner="fine_tuning", mask="none", batch_size=8, seed=3)
    train = tasks._training_sampler(given, classes)
    assert isinstance(train, LabeledSampler)
    assert (train.batch, train.seed) == (8, 3)
    assert make(learner="fine_tuning", mask="none").batch_size == 64
    assert learner._options(given, SimpleNamespace(train=train, regression=False)) == {
        "classes": 6,
        "seed": 3,
    }
    assert _first_of_step(train, 5) == 40
    assert _first_of_step(sampler(), 5) == 5 * sampler().tasks


def test_the_baseline_refuses_mgaug_by_name():
    given = SimpleNamespace(learner="fine_tuning", mask="catfish")
    with pytest.raises(ValueError, match="no tasks in training.*Received: --mask=catfish"):
        checks._choices(given)
