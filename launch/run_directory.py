"""The directory of one run: what is in it, and who may write to it."""

import fcntl
import json
import pathlib
import shutil

from tfmgaug.files import write_json

_MARK = "flags.json"


class RunDirectory:
    """The paths of one run.

    Args:
        path: the directory.

    Attributes:
        flags: settings of the run, JSON.
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
        self.checkpoints = self.path / "checkpoints"
        self.events = self.path / "events"
        self.figures = self.path / "figures"
        self.learner = self.path / "learner.keras"
        self.export = self.path / "export"
        self.report = self.path / "report.json"

    def claim(self, settings, overwrite, resume, differences):
        """Makes the directory ours, or says why not.

        Args:
            settings: dictionary to keep.
            overwrite: whether an earlier run may be removed.
            resume: whether an earlier run is to be continued.
            differences: function from the earlier run's settings to lines that name what differs.

        Returns:
            Whether there is an earlier run to continue.

        Raises:
            FileExistsError: there is an earlier run, or something else.
            ValueError: the earlier run had other settings.
            RuntimeError: another process writes to it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock()
        others = [entry for entry in self.path.iterdir() if entry.name != ".lock"]
        if others and not self.flags.exists():
            raise FileExistsError(f"{self.path} holds something else than a run. Choose another.")
        # A run without a checkpoint, stopped in its first epoch, has nothing to lose.
        begun = (self.checkpoints / "last.weights.h5").exists()
        if begun and resume:
            changed = differences(json.loads(self.flags.read_text()))
            if changed:
                raise ValueError("A run goes on with the flags it had: " + "; ".join(changed) + ".")
            return True
        if begun and not overwrite:
            raise FileExistsError(
                f"{self.path} holds a run. Go on with it (--resume), replace it (--overwrite) or "
                "choose another (--run_dir=...)."
            )
        self._clear()
        write_json(self.flags, settings)
        return False

    def _lock(self):
        # Held until the process ends, however it ends.
        self._lock_file = (self.path / ".lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RuntimeError(f"Another process is writing to {self.path}.") from error

    def _clear(self):
        # The mark goes last: a removal that is cut off leaves what still counts as a run.
        entries = [entry for entry in self.path.iterdir() if entry.name not in (".lock", _MARK)]
        for entry in entries:
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.flags.unlink(missing_ok=True)
