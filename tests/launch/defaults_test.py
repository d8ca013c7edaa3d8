"""Defaults that stand in two signatures, of the package and of a command, are the same."""

import inspect

from launch.experiment import Data
from launch.jobs import evaluate
from launch.signatures import read
from tfmgaug import data, evaluation


def default(function, name):
    return inspect.signature(function).parameters[name].default


def test_a_data_set_is_loaded_by_a_command_as_by_the_package():
    loader = inspect.signature(data.load).parameters
    both = set(loader) & set(inspect.signature(Data).parameters)
    assert {"split", "rotations", "download", "skip_unreadable"} < both
    assert {name: loader[name].default for name in both} == {
        name: default(Data, name) for name in both
    }


def test_a_run_is_evaluated_by_a_command_as_by_the_package():
    modes = default(evaluation.evaluate, "statistics")
    assert tuple(default(evaluate.run, "statistics")) == tuple(modes)


def test_the_help_of_export_tells_the_default_of_the_package():
    text = read("launch.jobs.export.run").arguments["statistics"].text
    assert f"{read('tfmgaug.export').arguments['statistics'].default} by default" in text
