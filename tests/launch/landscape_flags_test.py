"""What the flags of the landscape stand for, and where they are refused."""

import json
import pathlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

from launch import checks, tasks
from launch.construction import learner
from launch.construction.callbacks import build_monitors, monitored
from launch.jobs.train import _first_of_step
from launch.registry import LEARNERS, REGULARIZERS
from launch.reproduction import composition, cost
from launch.reproduction.papers import PAPERS
from tests.callbacks.training import sampler
from tests.evaluation.toys import toy_classes
from tests.launch.experiments import make
from tfmgaug.callbacks import CoherenceStopping, LandscapeMonitor
from tfmgaug.data import LabeledSampler

ROOT = pathlib.Path(__file__).parents[2]
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
        landscape_seconds=9.0,
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


# The paper's recipes.

PAPER = PAPERS["landscape"]
RECIPES = sorted(
    {
        recipe
        for figure in PAPER.figures
        for panel in figure.panels
        for recipe in panel.runs.values()
    }
)
ASK = """
import json, sys
from absl import flags
from launch import settings
from launch.reproduction import composition
from launch.reproduction.paper import Recipe

settings.define()
flags.FLAGS(["test"])
recipes = [Recipe(*map(tuple, one)) for one in json.load(sys.stdin)]
json.dump(
    [
        {size: composition.resolve(composition.arguments(one, size)) for size in composition.SIZES}
        for one in recipes
    ],
    sys.stdout,
)
"""


@pytest.fixture(scope="module")
def resolved():
    process = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        input=json.dumps(RECIPES),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert process.returncode == 0, process.stderr
    return dict(zip(RECIPES, json.loads(process.stdout)))


def test_every_figure_with_data_has_panels():
    assert [figure.number for figure in PAPER.figures] == list(range(1, 13))
    assert [figure.number for figure in PAPER.figures if not figure.panels] == [1]
    files = {f"{name}.flags" for recipe in RECIPES for name in (*recipe.files, *recipe.small)}
    assert files <= {file.name for file in composition.RECIPES.iterdir()}


def test_full_recipes_are_the_papers(resolved):
    for recipe, sizes in resolved.items():
        full, setting = sizes["full"], recipe.files[0]
        assert full["mask"] == "none"
        if setting == "landscape_sine":
            assert (full["hidden"], full["backbone"]) == ([40, 40], "mlp")
            assert 2 <= full["shot"] <= 15
            continue
        omniglot = "omniglot" in setting
        assert full["strided"] == omniglot
        assert full["filters"] == (64 if omniglot else 48)
        assert full["inner_learning_rate"] == (0.1 if omniglot else 0.01)
        assert full["inner_steps"] == (1 if "landscape_with_one_step" in recipe.files else 5)
        assert full["epochs"] == 100
        if full["learner"] == "fine_tuning":
            expected = {1: (64, 25), 5: (128, 12)}[full["shot"]]
            assert (full["batch_size"], full["steps_per_epoch"]) == expected
        else:
            tasks = {(True, 1): 16, (True, 5): 8, (False, 1): 4, (False, 5): 2}
            assert full["tasks"] == tasks[omniglot, full["shot"]]
            assert full["steps_per_epoch"] == 500


def test_small_recipes_need_no_data_and_little_time(resolved):
    for sizes in resolved.values():
        small = sizes["small"]
        assert small["data"] in ("glyphs", "sinusoids")
        assert small["landscape_every"] == 1
        assert cost.seconds(small) < 600


def test_the_baseline_costs_what_its_images_cost():
    flags = {"learner": "fine_tuning", "batch_size": 128}
    assert cost._training_images(flags) == 3 * 128
    assert "fine_tuning" in LEARNERS.rows
    assert "trajectory_coherence" in REGULARIZERS.rows
