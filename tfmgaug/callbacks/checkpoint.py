"""Checkpoints that a killed run goes on from exactly."""

import json
import math
import os
import pathlib
from collections.abc import Sequence

import keras

from tfmgaug.callbacks.finite import check_weights, outer_step
from tfmgaug.files import atomic_path, write_json

BEST, HISTORY, LAST = "best.weights.h5", "history.json", "last.weights.h5"


class Checkpoint(keras.callbacks.Callback):
    """Writes weights, optimizer and history at the end of every epoch.

    Three files, each replaced as a whole and in this order: `best.weights.h5` when the monitored
    log has improved, `history.json` (a row of logs for each epoch), `last.weights.h5`. Whenever
    the process is killed, `restore` finds a consistent state of the last finished epoch.

    Args:
        directory: where to write; made if it is missing.
        history: rows of the epochs already done, as `restore` returns them.
        monitor: log that decides which epoch is best. By default `val_accuracy`, or `val_loss`
            where there is no accuracy. Accuracies and coherences are maximized, everything else is
            minimized.
        overwrite: whether to start over in a directory that holds a checkpoint.

    Raises:
        ValueError: if `directory` holds a checkpoint and neither `history` nor `overwrite` is
            given.
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
    ):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.history = list(history)
        self.monitor = monitor
        if not self.history and not overwrite and (self.directory / LAST).exists():
            raise ValueError(
                f"{self.directory} holds a checkpoint. Continue it with `history` from "
                "`restore(learner, directory)`, choose another directory, or pass overwrite=True."
            )

    def on_epoch_end(self, epoch, logs=None):
        check_weights(self.model)
        row = {"epoch": epoch, "step": outer_step(self.model), **_plain(logs or {})}
        if self._improved(row):
            self._write_weights(BEST)
        self.history.append(row)
        write_json(self.directory / HISTORY, self.history)
        self._write_weights(LAST)

    def _write_weights(self, name: str) -> None:
        with atomic_path(self.directory / name) as path:
            self.model.save_weights(path)

    def _improved(self, row: dict) -> bool:
        monitor = self.monitor or ("val_accuracy" if "val_accuracy" in row else "val_loss")
        # An epoch without validation, or with a loss that isn't finite, is never the best.
        if row.get(monitor) is None:
            return False
        sign = 1 if "accuracy" in monitor or "coherence" in monitor else -1
        earlier = [old[monitor] for old in self.history if old.get(monitor) is not None]
        return all(sign * row[monitor] > sign * value for value in earlier)


def restore(learner, directory: str | os.PathLike) -> tuple[int, list[dict]]:
    """Loads the last checkpoint: weights, optimizer, outer step and random state.

    Args:
        learner: a compiled learner of the same architecture and optimizer.
        directory: where a `Checkpoint` wrote.

    Returns:
        `(epoch, history)`: the epoch to go on with (`fit(initial_epoch=epoch)`), and the rows of
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
    rows = json.loads((directory / HISTORY).read_text())
    # A run killed between the two files has a row more than its weights know of.
    history = [row for row in rows if row["step"] <= outer_step(learner)]
    return (history[-1]["epoch"] + 1 if history else 0), history


def _plain(logs: dict) -> dict[str, float | None]:
    numbers = {key: float(value) for key, value in logs.items()}
    return {key: value if math.isfinite(value) else None for key, value in numbers.items()}
