"""The directory of one run: its files, and the right to write to it."""

import contextlib
import fcntl
import fnmatch
import json
import os
import pathlib

from tfmgaug.callbacks.checkpoint import LAST, holds_epochs
from tfmgaug.files import explained, without_mark, write_json

_MARK, _LOCK = "flags.json", ".lock"
_EXPERIMENT = "experiment.json"
_ANALYSES = sorted(file.stem for file in (pathlib.Path(__file__).parent / "analyses").glob("*.py"))

# All that a run writes, and what others write about it. Nothing else is ever removed.
_WRITTEN = (
    _MARK,
    _EXPERIMENT,
    "checkpoints/best.weights.h5",
    "checkpoints/history.json",
    "checkpoints/last.weights.h5",
    "events/events.out.tfevents.*",
    "events/*/events.out.tfevents.*",
    "export/fingerprint.pb*",
    "export/saved_model.pb*",
    "export/variables/variables.*",
    "export/variables/variables_temp/*",
    "figures/accuracy_per_step.png",
    "figures/episode.png",
    "figures/landscape.png",
    "figures/landscape_correlation.png",
    "figures/training_curves.png",
    "learner.keras",
    "report.json",
    *(f"analysis/{name}.{kind}" for name in _ANALYSES for kind in ("json", "png")),
    "on_*.json",
    "on_*.log",
)
_FOLDERS = {pattern.split("/")[0] for pattern in _WRITTEN if "/" in pattern}


class RunDirectory:
    """The paths of one run.

    Args:
        path: the directory.

    Attributes:
        flags: the flags of the run, JSON.
        experiment: all that the run is, JSON: see `launch.experiment`.
        checkpoints: folder of weights and history.
        events: folder of TensorBoard events.
        figures: folder of PNGs.
        learner: the learner of the best validation, or of the last epoch, `.keras`.
        export: its SavedModel.
        report: results, JSON.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.flags = self.path / _MARK
        self.experiment = self.path / _EXPERIMENT
        self.checkpoints = self.path / "checkpoints"
        self.events = self.path / "events"
        self.figures = self.path / "figures"
        self.learner = self.path / "learner.keras"
        self.export = self.path / "export"
        self.report = self.path / "report.json"

    def claim(self, overwrite, resume, differences):
        """Claims the directory for this process, or refuses; its files stay until `begin`.

        Args:
            overwrite: whether an earlier run may be removed.
            resume: whether an earlier run is to be continued.
            differences: function from the earlier run's settings to lines that name what differs.

        Returns:
            Whether there is an earlier run to continue.

        Raises:
            FileExistsError: there is an earlier run, or something else.
            OSError: the directory cannot be written.
            RuntimeError: another process writes to it.
            ValueError: the earlier run had other settings.
        """
        with explained(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        self._check_ours()  # first: nothing is left in a directory that isn't
        self._lock()
        self._check_ours()
        if resume and (self.checkpoints / LAST).exists():
            changed = differences(json.loads(self.flags.read_text()))
            if changed:
                raise ValueError(
                    "A run is resumed with the flags that it was started with: "
                    + "; ".join(changed)
                    + "."
                )
            self._remove(file for file in self._files() if _is_cut_off(file))
            return True
        if overwrite:
            self._check_removable()
        else:
            self._check_nothing_to_lose(resume)
        return False

    def begin(self, settings, experiment):
        """Removes what an earlier run has written, and notes the settings of the new one.

        Args:
            settings: dictionary of flags to keep.
            experiment: dictionary of the experiment to keep.

        Raises:
            OSError: the directory cannot be written.
        """
        with explained(self.path):
            # The mark goes last: a removal that is cut off leaves what still counts as a run.
            self._remove(file for file in self._files() if _is_written(file) and file != _MARK)
            self.flags.unlink(missing_ok=True)
        write_json(self.flags, settings)
        write_json(self.experiment, experiment)

    def _check_ours(self):
        names = {without_mark(entry.name) for entry in self.path.iterdir()}
        if names - {_LOCK, _MARK} and not _is_mark(self.flags):
            raise FileExistsError(
                f"{self.path} holds files that are not a run's. Choose another directory "
                "(--run_dir=...)."
            )

    def _lock(self):
        # Held until the process ends, however it ends.
        with explained(self.path):
            self._lock_file = (self.path / _LOCK).open("a")
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise RuntimeError(f"Another process is writing to {self.path}.") from error

    def _check_nothing_to_lose(self, resume):
        if (self.checkpoints / LAST).exists():
            raise FileExistsError(
                f"{self.path} holds a run. Resume it (--resume), replace it (--overwrite) or "
                "choose another directory (--run_dir=...)."
            )
        results = self._results()
        if results:
            raise FileExistsError(
                f"{self.path} holds a run's {_listed(results)}, without the checkpoint "
                f"{'that it could be resumed from' if resume else 'of its last epoch'}. Replace it "
                "(--overwrite) or choose another directory (--run_dir=...)."
            )

    def _check_removable(self):
        others = sorted(file for file in self._files() if not _is_written(file) and file != _LOCK)
        if others:
            raise FileExistsError(
                f"{self.path} holds files that no run has written, and is not replaced: "
                f"{_listed(others)}. Move them elsewhere, or choose another directory "
                "(--run_dir=...)."
            )

    def _results(self):
        """The files of a run that are results, which a new run would not merely write again."""
        kept = {"checkpoints": holds_epochs(self.checkpoints), "events": _hold_curves(self.events)}
        return sorted(
            file
            for file in self._files()
            if _is_written(file)
            and file not in (_MARK, _EXPERIMENT)
            and not _is_cut_off(file)
            and kept.get(file.partition("/")[0], True)
        )

    def _files(self):
        """All files in the directory, by their paths in it; links count as files."""
        paths = []
        for folder, folders, files in os.walk(self.path):
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            inside = pathlib.Path(folder).relative_to(self.path)
            paths += [(inside / name).as_posix() for name in [*files, *links]]
        return paths

    def _remove(self, files):
        for file in files:
            (self.path / file).unlink()
        for folder, _, _ in os.walk(self.path, topdown=False):
            inside = pathlib.Path(folder).relative_to(self.path).as_posix()
            if _finished(inside).split("/")[0] in _FOLDERS:
                with contextlib.suppress(OSError):  # it is not empty
                    os.rmdir(folder)


def _is_mark(file):
    """Whether a file is the flags of a run, and not somebody else's file of that name."""
    try:
        saved = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(saved, dict) and {"data", "learner", "way"} <= saved.keys()


def _is_written(file):
    parts = _finished(file).split("/")
    return any(
        len(parts) == len(pattern) and all(map(fnmatch.fnmatchcase, parts, pattern))
        for pattern in (pattern.split("/") for pattern in _WRITTEN)
    )


def _is_cut_off(file):
    """Whether a process was killed while it wrote the file."""
    return _is_written(file) and any(without_mark(part) != part for part in file.split("/"))


def _finished(file):
    """The final path of a file, which may be half written or set aside while it is replaced."""
    parts = [without_mark(part) for part in file.split("/")]
    return "/".join(["export" if parts[0] == ".export.previous" else parts[0], *parts[1:]])


def _listed(files):
    return ", ".join(files[:4]) + (", ..." if len(files) > 4 else "")


def _hold_curves(events):
    """Whether TensorBoard's events hold more than the settings that a run begins with."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    files = events.rglob("events.out.tfevents.*") if events.is_dir() else []
    return any(event.step > 0 for file in files for event in EventFileLoader(str(file)).Load())
