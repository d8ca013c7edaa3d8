"""Saved runs: their learner, their flags and their experiment."""

import json
import pathlib

import keras

import tfmgaug  # noqa: F401  registers the classes that .keras files name
from launch import earlier, experiment_of_flags
from launch.experiment import Experiment
from launch.run_directory import RunDirectory


def load_learner(path):
    """Loads a learner.

    Args:
        path: run directory, or `.keras` file.

    Returns:
        The learner of the run's best validation, compiled.

    Raises:
        FileNotFoundError: the run has not finished, or there is none.
    """
    file = pathlib.Path(path)
    file = file / "learner.keras" if file.is_dir() else file
    if not file.is_file():
        raise FileNotFoundError(f"{path} holds no finished run: {file} is missing.")
    return keras.models.load_model(file)


def saved_flags(path):
    """Reads the flags that a run was started with.

    Args:
        path: run directory, or `.keras` file in it.

    Returns:
        A dictionary, or None if there are no flags beside the learner.
    """
    run = pathlib.Path(path)
    file = RunDirectory(run if run.is_dir() else run.parent).flags
    return earlier.flags(json.loads(file.read_text())) if file.is_file() else None


def load_experiment(path):
    """Reads the experiment of a run, from which everything can be built again.

    Args:
        path: run directory.

    Returns:
        An `Experiment`. A run of version 0.1 has no experiment.json: its experiment is made from
        its flags.

    Raises:
        FileNotFoundError: there is no run.
        ValueError: another version of the package has written it.
    """
    directory = RunDirectory(path)
    if directory.experiment.is_file():
        return Experiment.from_json(json.loads(directory.experiment.read_text()))
    if not directory.flags.is_file():
        raise FileNotFoundError(f"{path} holds no run: {directory.experiment} is missing.")
    saved = earlier.flags(json.loads(directory.flags.read_text()))
    return experiment_of_flags.experiment(saved)
