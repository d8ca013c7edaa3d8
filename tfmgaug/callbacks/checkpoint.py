"""Checkpoints, from which a killed run resumes exactly."""

import json
import math
import os
import pathlib
from collections.abc import Sequence

import keras

from tfmgaug.callbacks.finite import check_weights, outer_step
from tfmgaug.files import UnwritableError, write_json, write_saved
from tfmgaug.types import Logs

BEST, HISTORY, LAST = "best.weights.h5", "history.json", "last.weights.h5"


class Checkpoint(keras.callbacks.Callback):
    """Writes weights, optimizer and history at the end of every epoch.

    Three files, each replaced as a whole and in this order: `history.json` (a row of logs for each
    epoch), `best.weights.h5` when the monitored log has improved, `last.weights.h5`. Whenever
    the process is killed, or the disk is full, `restore` finds a consistent state of the last
    finished epoch.

    Args:
        directory: where to write; made if it is missing.
        history: rows of the epochs already done, as `restore` returns them.
        monitor: log that decides which epoch is best. By default `val_accuracy`, or `val_loss`
            where there is no accuracy. Accuracies and coherences are maximized, everything else is
            minimized.
        overwrite: whether to start over in a directory that holds a checkpoint.

    Raises:
        ValueError: if `directory` holds a checkpoint, or a part of one, that `history` is not from,
            and `overwrite` is false.
        OSError: from `fit`, if the disk is full or `directory` is not writable. The checkpoint of
            the epoch before is whole.
        NonFiniteError: from `fit`, before anything is written, if a weight is not finite.

    Example:
        >>> epoch, history = restore(learner, "runs/first")
        >>> learner.fit(
        ...     episodes.dataset(start=outer_step(learner) * episodes.tasks),
        ...     initial_epoch=epoch, epochs=10, steps_per_epoch=25,
        ...     callbacks=[Checkpoint("runs/first", history)],
        ... )
    """

    def __init__(
        self,
        directory: str | os.PathLike,
        history: Sequence[dict] = (),
        monitor: str | None = None,
        overwrite: bool = False,
    ) -> None:
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.history = list(history)
        self.monitor = monitor
        if not overwrite:
            self._check_continued()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        check_weights(self.model)
        row = {"epoch": epoch, "step": outer_step(self.model), **_plain(logs or {})}
        try:
            self._write(row)
        except UnwritableError as error:
            raise UnwritableError(error.errno, f"{error} {self._kept()}", error.filename) from error
        self.history.append(row)

    def _write(self, row: dict) -> None:
        write_json(self.directory / HISTORY, [*self.history, row])
        if self._improved(row):
            write_saved(self.model.save_weights, self.directory / BEST)
        write_saved(self.model.save_weights, self.directory / LAST)

    def _kept(self) -> str:
        if not self.history:
            return "No epoch has been saved yet."
        return (
            f"Epochs up to {self.history[-1]['epoch'] + 1} are complete: "
            "`restore` and --resume continue from there."
        )

    def _check_continued(self) -> None:
        """Refuses a directory whose checkpoint is not the one that `history` is from."""
        rows = _rows(self.directory)
        # A run killed between two files has a row more than `restore` returns.
        continued = self.history and rows[: len(self.history)] == self.history
        if holds_epochs(self.directory) and not continued:
            raise ValueError(
                f"{self.directory} holds a checkpoint. Continue it with `history` from "
                "`restore(learner, directory)`, choose another directory, or pass overwrite=True."
            )

    def _improved(self, row: dict) -> bool:
        monitor = self.monitor or ("val_accuracy" if "val_accuracy" in row else "val_loss")
        # An epoch without validation, or with a loss that isn't finite, is never the best.
        if row.get(monitor) is None:
            return False
        sign = 1 if "accuracy" in monitor or "coherence" in monitor else -1
        earlier = [old[monitor] for old in self.history if old.get(monitor) is not None]
        return all(sign * row[monitor] > sign * value for value in earlier)


def restore(learner: keras.Model, directory: str | os.PathLike) -> tuple[int, list[dict]]:
    """Loads the last checkpoint: weights, optimizer, outer step and random state.

    Args:
        learner: a compiled learner of the same architecture and optimizer.
        directory: where a `Checkpoint` wrote.

    Returns:
        `(epoch, history)`: the epoch to continue with (`fit(initial_epoch=epoch)`), and the rows of
        the epochs before it, for `Checkpoint(directory, history)`.

    Raises:
        FileNotFoundError: if the directory holds no checkpoint.
        ValueError: if the learner is not compiled: the optimizer's state would be lost.
    """
    directory = pathlib.Path(directory)
    for name in (LAST, HISTORY):
        if not (directory / name).is_file():
            raise FileNotFoundError(f"{directory} holds no checkpoint: {name} is missing.")
    if getattr(learner, "optimizer", None) is None:
        raise ValueError("Expected a compiled learner: call `compile` before `restore`.")
    learner.load_weights(directory / LAST)
    # A run killed between the two files has a row more than its weights know of.
    history = [row for row in _rows(directory) if row["step"] <= outer_step(learner)]
    return (history[-1]["epoch"] + 1 if history else 0), history


def holds_epochs(directory: str | os.PathLike) -> bool:
    """Whether a directory holds an epoch that a `Checkpoint` has saved, or a part of one.

    Args:
        directory: where a `Checkpoint` may have written.

    Returns:
        Whether there is something to lose. The row of a first epoch that was cut off before its
        weights were written counts as nothing.
    """
    directory = pathlib.Path(directory)
    if (directory / LAST).exists():
        return True
    if (directory / HISTORY).exists():
        return len(_rows(directory)) > 1
    return (directory / BEST).exists()  # kept by hand: the history is written before it


def _rows(directory: pathlib.Path) -> list[dict]:
    file = directory / HISTORY
    return json.loads(file.read_text()) if file.exists() else []


def _plain(logs: dict) -> dict[str, float | None]:
    numbers = {key: float(value) for key, value in logs.items()}
    return {key: value if math.isfinite(value) else None for key, value in numbers.items()}
