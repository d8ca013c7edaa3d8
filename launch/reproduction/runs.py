"""The runs behind a table or figure: their directories and their progress."""

import json
import pathlib
from typing import NamedTuple

from launch import earlier, settings
from launch.reproduction import composition

FINISHED, BEGUN, MISSING = "finished", "begun", "missing"


class Run(NamedTuple):
    """One training run.

    Attributes:
        title: what the run is for, shown on the screen.
        recipe: `Recipe`.
        seed: int.
        path: its directory.
        arguments: list of arguments of `launch.train`, complete.
        planned: dictionary, the flags that these make.
        environment: dictionary of variables that are set for its process.
    """

    title: str
    recipe: tuple
    seed: int
    path: pathlib.Path
    arguments: list
    planned: dict
    environment: dict = {}

    @property
    def log(self):
        """The file of its output, beside its directory, which must be empty at first."""
        return self.path.with_name(f"{self.path.name}.log")

    @property
    def report(self):
        """The report that it wrote when it finished, or None."""
        return _read(self.path / "report.json")

    @property
    def saved(self):
        """The flags it was started with, or None."""
        return _settings(self.path / "flags.json")

    @property
    def epochs_done(self):
        """How many epochs have a checkpoint."""
        return len(_read(self.path / "checkpoints" / "history.json") or [])

    @property
    def state(self):
        """FINISHED, BEGUN or MISSING."""
        if self.report is not None and self.saved is not None:
            return FINISHED
        return BEGUN if self.epochs_done else MISSING

    @property
    def stale(self):
        """The settings in which it differs from what its recipe says now, as a list of texts."""
        return [] if self.state == MISSING else composition.changes(self.saved or {}, self.planned)


class Plan:
    """Makes the runs of recipes, and each of them once.

    A run that is there already is found by its settings, wherever in its directory it is.

    Args:
        size: "small" or "full".
        passed: dictionary of flags for every run, from `composition.passed_through`.
        runs_dir: where all runs are.
        resolve: function from arguments and a recipe's settings to the flags that they make.
        folders: dictionary from names of data sets to their folders, instead of --data_dir.
    """

    def __init__(self, size, passed, runs_dir, resolve=composition.resolve, folders=None):
        self.size = size
        self.passed = passed
        self._folders, self._used = folders or {}, set()
        self.directory = pathlib.Path(runs_dir) / composition.variant(size, passed)
        self._extra = [argument for arguments in passed.values() for argument in arguments]
        self._resolve = resolve
        self._published = {}
        marks = sorted(self.directory.rglob("flags.json"))
        self._known = [(mark.parent, _settings(mark)) for mark in marks]

    def run(self, title, recipe, seed):
        """Makes a run.

        Args:
            title: what the run is for, shown on the screen.
            recipe: `Recipe`.
            seed: int.

        Returns:
            A `Run`.

        Raises:
            ValueError: the recipe doesn't fit `launch.train`.
        """
        name, laid = recipe.of(self.size)
        arguments = [*self._extra, *self._folder(laid), f"--seed={seed}"]
        path = self._path(recipe, seed, self._resolve(arguments, laid))
        arguments += [f"--run_dir={path}", "--resume"]
        planned = self._resolve(arguments, laid)
        return Run(title, recipe, seed, path, [f"--recipe={name}", *arguments], planned)

    def _path(self, recipe, seed, planned):
        """The directory of the run with these settings, or the one that it will get."""
        named = self.directory / recipe.name / f"seed{seed}"
        same = [path for path, flags in self._known if composition.same(flags, planned)]
        if not same:
            self._known.append((named, planned))
        return named if named in same or not same else same[0]

    def _folder(self, laid):
        folder = None
        if self._folders:
            folder = self.folder_of(self._resolve(self._extra, laid)["data"])
        return [] if folder is None else [f"--data_dir={folder}"]

    def folder_of(self, data):
        """Returns the folder that --folders gives a data set, or None."""
        self._used.add(data)
        return self._folders.get(data)

    def check_folders(self):
        """Refuses folders of data sets that were not asked for, once all runs are planned.

        Raises:
            ValueError: there are some.
        """
        idle = sorted(set(self._folders) - self._used)
        if idle:
            raise ValueError(
                f"No run is of these data sets of --folders (--size={self.size}). "
                f"Received: {', '.join(idle)}."
            )

    def published(self, recipe):
        """Returns the flags of a recipe's full form with nothing passed through: the paper's."""
        if recipe.name not in self._published:
            self._published[recipe.name] = self._resolve([], recipe.full)
        return self._published[recipe.name]


def _settings(path):
    """The flags of a run as they are called now, defaults filled in; None: there are none."""
    saved = _read(path)
    return saved and settings.completed(earlier.flags(saved))


def _read(path):
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return None
