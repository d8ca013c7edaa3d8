"""Trained runs, and the tasks that they are analyzed on."""

import dataclasses
import functools
import json
import pathlib

import numpy as np

from launch import data_flags, loading, tasks
from launch.construction.building import build
from launch.experiment import Data, Part
from launch.given_flags import idle, refuse_idle
from launch.registry import MASKS
from launch.run_directory import RunDirectory
from tfmgaug import data, masks

# What another data set than the run's own still has in common with it.
_ANY_DATA = ("cache_dir", "data_seed", "download", "query", "shot", "test_classes", "way")


class Run:
    """One run: its learner and its settings, which flags override.

    Args:
        path: run directory.
        name: in figures; None: the name of the directory.
        overrides: dictionary of the data flags given now.

    Attributes:
        path: the directory.
        name: in figures.
        is_named: whether this name was asked for.
        overrides: the data flags given now.
        saved: the flags that the run was started with.
        settings: their `Data`, overridden by the data flags given now.

    Raises:
        FileNotFoundError: there is no run.
    """

    def __init__(self, path, name, overrides):
        self.path = pathlib.Path(path)
        self.is_named = name is not None
        self.name = name or self.path.resolve().name
        self._directory = RunDirectory(self.path)
        if not self._directory.flags.is_file():
            raise FileNotFoundError(
                f"{path} holds no run: {self._directory.flags} is missing. Expected the directory "
                "that launch.train wrote (--run_dir)."
            )
        self.saved = json.loads(self._directory.flags.read_text())
        self.overrides = overrides
        self.settings = _overridden(self.saved, overrides)

    @functools.cached_property
    def learner(self):
        """The learner of the best validation."""
        return loading.load_learner(self.path)

    @property
    def squared_norm(self):
        """|w|^2 of the weights that tasks start from."""
        variables = self.learner.backbone.trainable_variables
        return sum(float(np.sum(np.square(v.numpy(), dtype=np.float64))) for v in variables)

    @property
    def history(self):
        """Rows of logs, one for each epoch.

        Raises:
            FileNotFoundError: no epoch has finished.
        """
        file = self._directory.checkpoints / "history.json"
        if not file.is_file():
            raise FileNotFoundError(f"{self.path} has no finished epoch: {file} is missing.")
        return json.loads(file.read_text())

    @property
    def report(self):
        """What the run ended with, from its report.json.

        Raises:
            FileNotFoundError: it has not ended.
        """
        file = self._directory.report
        if not file.is_file():
            raise FileNotFoundError(f"{self.path} is no finished run: {file} is missing.")
        return json.loads(file.read_text())

    def masks(self, names):
        """Returns the masks to prune with.

        Args:
            names: in `launch.registry.MASKS`; None: what the run was trained with, catfish without.
        """
        if names:
            return [build(Part(name, MASKS.rows[name].constructor, {})) for name in names]
        augmentation = self.learner.augmentation
        return [masks.CatfishMask() if augmentation is None else augmentation.mask]

    @functools.cached_property
    def sampler(self):
        """Sampler of the tasks to analyze, the first of which are those of `launch.evaluate`.

        Raises:
            ValueError: the tasks don't fit the learner.
        """
        if self.settings.data == "sinusoids":
            trained = loading.load_experiment(self.path)
            return tasks.build(dataclasses.replace(trained, **vars(self.settings))).test
        return self._checked(tasks.test_sampler(self.settings, [self.path]))

    @functools.cached_property
    def training_sampler(self):
        """Sampler of the run's own training tasks, of images that are not augmented.

        Raises:
            ValueError: they are no images, or don't fit the learner.
        """
        if self.settings.data == "sinusoids":
            raise ValueError("Expected a run that classifies. Received: --data=sinusoids.")
        shape = {
            "way": self.saved["train_way"] or self.settings.way,
            "shot": self.overrides.get("shot", self.saved.get("train_shot") or self.saved["shot"]),
            "query": self.overrides.get("query", self.saved["train_query"]),
            "mutually_exclusive": self.saved["mutually_exclusive"],
        }
        classes = {"test_classes": "train", "train_classes": self.saved.get("train_classes")}
        as_trained = {**{n: shape[n] for n in ("way", "shot", "query")}, **classes}
        fresh = tasks.test_sampler(dataclasses.replace(self.settings, **as_trained))
        return self._checked(
            data.EpisodeSampler(
                fresh.classes,
                tasks=fresh.tasks,
                seed=self.saved["seed"],
                partition_seed=fresh.partition_seed,
                transform=fresh.transform,
                **shape,
            )
        )

    def _checked(self, sampler):
        learner, shape = self.learner, tuple(sampler.image_shape)
        if tuple(learner.image_shape) != shape:
            raise ValueError(
                f"{self.path} was trained on images {learner.image_shape}. Received: {shape}. Use "
                "--image_size for another size; other channels need another run."
            )
        if learner.way is not None and learner.way != sampler.way:
            raise ValueError(
                f"{self.path} was trained {learner.way}-way. Received: --way={sampler.way}."
            )
        return sampler


def load(paths, names, overrides):
    """Finds runs.

    Args:
        paths: list of run directories.
        names: list of what figures call them, or None.
        overrides: dictionary of the data flags given now.

    Returns:
        A list of `Run`s.

    Raises:
        ValueError: there are other names than runs, or flags that no run reads.
    """
    names = names or [None] * len(paths)
    if len(names) != len(paths):
        raise ValueError(f"--names must name each of the {len(paths)} runs. Received: {names}.")
    runs = [Run(path, name, overrides) for path, name in zip(paths, names)]
    _refuse_idle(runs, overrides)
    return runs


def histories_by_name(runs):
    """Collects the histories of runs: a dictionary of lists, one for each name."""
    histories = {}
    for run in runs:
        histories.setdefault(run.name, []).append(run.history)
    return histories


def the_only(runs):
    """Returns the run, if there is one.

    Raises:
        ValueError: there are several.
    """
    if len(runs) != 1:
        raise ValueError(f"Expected one run. Received: {len(runs)}.")
    return runs[0]


def _refuse_idle(runs, overrides):
    """Refuses data flags that no run reads, given the data that each of them is of."""
    unread = [idle(run.settings, overrides, data_flags.READ_WITH) for run in runs]
    nowhere = [n for n in overrides if all(n in sum(flags.values(), []) for flags in unread)]
    refuse_idle(runs[0].settings, nowhere, data_flags.READ_WITH)


def _overridden(saved, overrides):
    defaults = {field.name: field.default for field in dataclasses.fields(Data)}
    kept = dict(saved)
    if overrides.get("data", saved["data"]) != saved["data"]:
        # Where the run's own data lies says nothing about this one.
        kept = {n: v for n, v in saved.items() if n in _ANY_DATA or n not in defaults}
    if {**saved, **overrides}["data"] != "sinusoids":
        # A network that was trained with fixed labels is looked at with them.
        kept["test_mutually_exclusive"] = saved["mutually_exclusive"]
    merged = {**defaults, **kept, **overrides}
    if merged["test_classes"] != "train" and "train_classes" not in overrides:
        merged["train_classes"] = None  # which other tasks are not taken from
    return Data(**{name: merged[name] for name in defaults})
