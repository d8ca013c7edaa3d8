"""Measures of the landscape during training, in the history and in TensorBoard."""

import os
import pathlib
import time
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug.analysis.loss_landscape.meter import LandscapeMeter
from tfmgaug.analysis.loss_landscape.report import PREFIX
from tfmgaug.callbacks.finite import outer_step
from tfmgaug.data.indexed import check_integer
from tfmgaug.files import explained
from tfmgaug.types import Logs


class LandscapeMonitor(keras.callbacks.Callback):
    """Measures the landscape on the same tasks at the end of every n-th epoch.

    For each metric of `tfmgaug.analysis.Landscape` three logs are added: `landscape/<metric>`, the
    mean, and `..._deviation` and `..._interval`, the spread over tasks and the 95 % interval.
    Callbacks behind this one (`Checkpoint`, `TensorBoard`) and the history have them too.

    Its cost is measured: `landscape/seconds` is the time of each measurement, and after training
    `cost()` tells the time of all of them and its share of training. It costs less without
    curvature, or with fewer tasks.

    Args:
        sampler: of the tasks, whose first ones are measured each time.
        every: int >= 1, epochs from one measurement of the landscape to the next.
        tasks: int >= 3, tasks that it is measured on.
        max_seconds: float > 0, seconds; no measurement begins that would lead beyond so many
            seconds in all, if it took as long as the last one. None: no bound.
        log_dir: where to write TensorBoard events of its own, a run named `landscape`; None where
            `tfmgaug.callbacks.TensorBoard` follows, which writes all logs.
        figure_dir: where to write `landscape.png` and `landscape_correlation.png` when training
            ends; None: nowhere.
        history: rows of earlier epochs, as `restore` returns them, for the figures.
        **options: of `LandscapeMeter`: steps, statistics, curvature, tolerance, max_iterations,
            seed.

    Raises:
        ValueError: an argument is out of range; from `fit`, the learner has no inner steps.

    Example:
        >>> monitor = LandscapeMonitor(test_tasks, every=5, log_dir="events", figure_dir="figures")
        >>> learner.fit(..., callbacks=[monitor])
        >>> print(monitor.cost())

    Reference:
        Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning, 2019,
        https://arxiv.org/abs/1907.07287, Section 5.
    """

    def __init__(
        self,
        sampler: Any,
        every: int = 1,
        tasks: int = 60,
        max_seconds: float | None = None,
        log_dir: str | os.PathLike | None = None,
        figure_dir: str | os.PathLike | None = None,
        history: Sequence[dict] = (),
        **options: Any,
    ) -> None:
        super().__init__()
        self.sampler = sampler
        self.every = check_integer("every", every)
        self.tasks = check_integer("tasks", tasks, minimum=3)
        if max_seconds is not None and not max_seconds > 0:
            raise ValueError(f"`max_seconds` must be positive. Received: {max_seconds}.")
        self.max_seconds = max_seconds
        self.log_dir = None if log_dir is None else pathlib.Path(log_dir)
        self.figure_dir = None if figure_dir is None else pathlib.Path(figure_dir)
        self.history = list(history)
        self.seconds: list[float] = []
        self.skipped: list[int] = []
        self._options = options
        self._meter: LandscapeMeter | None = None
        self._made_for: tuple | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        made_for = (self.model, self.model.graph_key)
        if self._made_for != made_for:
            self._made_for = made_for
            self._meter = LandscapeMeter(self.model, self.sampler, self.tasks, **self._options)
        self._began = time.monotonic()
        self._writer = None
        if self.log_dir is not None:
            with explained(self.log_dir):
                self.log_dir.mkdir(parents=True, exist_ok=True)
                self._writer = tf.summary.create_file_writer(str(self.log_dir / "landscape"))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if (epoch + 1) % self.every:
            return
        if self._would_exceed():
            self.skipped.append(epoch)
            return
        measures = self._meter.measure().logs(PREFIX)
        self.seconds.append(measures[f"{PREFIX}seconds"])
        if logs is not None:
            logs.update(measures)
        self.history.append({**(logs or {}), **measures, "epoch": epoch})
        if self._writer is not None:
            with explained(self.log_dir):
                self._write(measures)

    def on_train_end(self, logs: Logs = None) -> None:
        self._trained = time.monotonic() - self._began
        if self._writer is not None:
            with explained(self.log_dir):
                self._writer.close()
        if self.figure_dir is not None and self.history:
            self._draw()

    def cost(self) -> str:
        """Describes the time that the measurements took, alone and as a share of training."""
        spent, trained = sum(self.seconds), getattr(self, "_trained", 0.0)
        share = f", {100 * spent / trained:.0f} % of training" if trained else ""
        skipped = (
            f"; {len(self.skipped)} more would have exceeded {self.max_seconds:g} s"
            if self.skipped
            else ""
        )
        return (
            f"landscape of {self.tasks} tasks measured {len(self.seconds)} times in {spent:.1f} s"
            f"{share}{skipped}"
        )

    def _would_exceed(self) -> bool:
        # The first one traces its graphs, and says nothing about the others.
        expected = self.seconds[-1] if len(self.seconds) > 1 else 0.0
        return self.max_seconds is not None and sum(self.seconds) + expected >= self.max_seconds

    def _write(self, measures: dict) -> None:
        with self._writer.as_default(step=outer_step(self.model)):
            for name, value in measures.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def _draw(self) -> None:
        from tfmgaug import figures

        histories = {type(self.model).__name__: [self.history]}
        figures.save(figures.landscape_curves(histories), self.figure_dir / "landscape.png")
        figures.save(
            figures.landscape_correlation(histories), self.figure_dir / "landscape_correlation.png"
        )
