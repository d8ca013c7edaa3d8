"""Reports of several seeds in one: the arithmetic, against numpy and by hand."""

import dataclasses
import types

import numpy as np
import pytest

from launch.analyses import sensitivity
from launch.analyses.seeds import averaged


@dataclasses.dataclass
class Report:
    name: str
    fingerprint: str
    values: dict
    accuracy: np.ndarray
    seconds: float = 1.0


def reports(*names, fingerprint="tasks"):
    draws = np.random.default_rng(0)
    return [
        Report(n, fingerprint, {"cka": draws.normal(size=[4, 2])}, draws.normal(size=[4, 3, 2]))
        for n in names
    ]


def test_runs_of_one_name_are_averaged_task_by_task():
    first, other, second = reports("MAML", "ANIL", "MAML")
    mean, alone = averaged([first, other, second])
    np.testing.assert_allclose(mean.accuracy, (first.accuracy + second.accuracy) / 2)
    np.testing.assert_allclose(mean.values["cka"], (first.values["cka"] + second.values["cka"]) / 2)
    assert (mean.name, mean.seconds) == ("MAML (mean of 2 runs)", 2.0)
    assert alone is other
    assert averaged([first, second], named=False)[0].name == "MAML"


def test_runs_of_other_tasks_under_one_name_are_refused():
    with pytest.raises(ValueError, match="same tasks under one name. Received: 'MAML'"):
        averaged([*reports("MAML"), *reports("MAML", fingerprint="others")])


def run(seed, dense, accuracy):
    saved = {"pruning": "dsd", "pruning_rates": ["0.4"], "epochs": 10, "steps_per_epoch": 10}
    saved |= {"pruning_dense": dense, "pruning_sparse": 20, "pruning_retrain": None}
    report = {"accuracy": accuracy, "interval": 0.01}
    return types.SimpleNamespace(path=f"{dense}/seed{seed}", saved=saved, report=report)


def test_seeds_of_one_length_are_one_point():
    runs = [run(0, 10, 0.4), run(0, 30, 0.5), run(1, 10, 0.6)]
    drawn = sensitivity.analyze(runs, over="dense")
    first, second = drawn.results
    assert (first["dense"], first["accuracy"]) == (10, pytest.approx(0.5))
    assert first["runs"] == ["10/seed0", "10/seed1"]
    assert (second["accuracy"], second["half_width"]) == (0.5, 0.01)
