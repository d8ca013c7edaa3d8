"""Progress of training: a line per epoch, with a bar and the remaining time."""

import sys
import time
from typing import TextIO

import keras

from tfmgaug.types import Logs

_WIDTH = 20
_LONG = 60.0  # seconds of training that are announced


class Progress(keras.callbacks.Callback):
    """Shows on one line per epoch how far training is, how well it goes and how long it will take.

    On a terminal the line is redrawn with a bar while the epoch runs; elsewhere (a log file, a
    pipe) it is written when the epoch ends and, in longer ones, every 20 seconds, for the first
    time as soon as steps show that training takes more than a minute. Use it with `fit(verbose=0)`.

    Args:
        stream: where to write; standard output by default.
        interval: seconds between two redraws.
        log_interval: seconds between two lines where there is no terminal.

    Example:
        >>> learner.fit(..., verbose=0, callbacks=[Progress()])
    """

    def __init__(
        self, stream: TextIO | None = None, interval: float = 0.1, log_interval: float = 20.0
    ) -> None:
        super().__init__()
        self._log_interval = log_interval
        self._stream = stream
        self._interval = interval

    def on_train_begin(self, logs: Logs = None) -> None:
        self._out = self._stream or sys.stdout
        self._tty = bool(getattr(self._out, "isatty", lambda: False)())
        self._clock = _Clock()
        self._drawn, self._length = 0.0, 0
        self._logged, self._announced = time.monotonic(), False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch
        self._clock.epoch_begins()
        self._draw(0, {})

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._clock.batch_ends()
        now = time.monotonic()
        if self._tty:
            if now - self._drawn > self._interval:
                self._draw(batch + 1, logs or {})
        elif batch + 1 != self.params.get("steps") and (
            now - self._logged > self._log_interval or self._announces(batch + 1)
        ):
            self._line(batch + 1, logs or {}, "\n")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._clock.epoch_ends()
        self._line(self.params.get("steps") or 0, logs or {}, "\n")

    def on_train_end(self, logs: Logs = None) -> None:
        self._out.flush()

    def _draw(self, done: int, logs: dict) -> None:
        if self._tty:
            self._line(done, logs, "")
            self._drawn = time.monotonic()

    def _announces(self, done: int) -> bool:
        """Whether the first step that was measured without tracing promises a long training."""
        steps = self.params.get("steps") or 0
        left = self._left(done, 1) if steps and not self._announced else None
        if left is None:
            return False
        self._announced = True
        return left > _LONG

    def _left(self, done: int, end: int) -> float | None:
        """Seconds that are left after so many steps of the epoch, with its end or without."""
        whole = self.params["epochs"] - self._epoch - 1  # epochs after this one
        steps = self.params.get("steps") or 0
        return self._clock.left(whole * steps + max(steps - done, 0), whole + end)

    def _line(self, done: int, logs: dict, end: str) -> None:
        epochs, steps = self.params["epochs"], self.params.get("steps") or 0
        parts = [f"epoch {self._epoch + 1:{len(str(epochs))}}/{epochs}"]
        if self._tty and steps:
            parts.append(f"{_bar(done / steps)} {done:{len(str(steps))}}/{steps}")
        elif done < steps:
            parts.append(f"step {done}/{steps}")
        parts += _results(logs)
        left = self._left(done, not end or done < steps)
        parts.append(f"{_duration(left)} left" if steps and left is not None else "")
        text = "  ".join(part for part in parts if part)
        if self._tty:
            # Spaces wipe what a longer line left behind; an escape code would upset old terminals.
            text, self._length = "\r" + text.ljust(self._length), len(text)
        self._out.write(_encodable(text, self._out) + end)
        self._out.flush()
        if end:
            self._length, self._logged = 0, time.monotonic()


class _Clock:
    """Seconds per step and per epoch's end, and what they promise for the rest."""

    def __init__(self):
        self._last = None
        self._steps, self._ends = [], []
        self._first_step = True

    def epoch_begins(self) -> None:
        now = time.monotonic()
        if self._ends:
            self._ends[-1] = now - self._last  # with the callbacks that came after this one
        self._last = now

    def batch_ends(self) -> None:
        now = time.monotonic()
        if not self._first_step:  # the first traces the graph
            self._steps.append(now - self._last)
        self._first_step, self._last = False, now

    def epoch_ends(self) -> None:
        self._ends.append(time.monotonic() - self._last)

    def left(self, steps: int, ends: int) -> float | None:
        """Seconds for so many steps and ends of epochs; None as long as nothing is known."""
        if not self._steps:
            return None
        # The first validation traces as well; it counts only as long as there is no other.
        known = self._ends[1:] or self._ends or [0.0]
        return steps * _mean(self._steps[-200:]) + ends * _mean(known)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _bar(share: float) -> str:
    full = round(min(share, 1.0) * _WIDTH)
    return "━" * full + "·" * (_WIDTH - full)


def _results(logs: dict) -> list[str]:
    parts = [_before_and_after(logs, "loss", "loss {}", "{:.3f}", 1)]
    parts.append(_before_and_after(logs, "accuracy", "accuracy {} %", "{:.1f}", 100))
    if "val_accuracy" in logs:
        parts.append(f"validation {100 * float(logs['val_accuracy']):.1f} %")
    elif "val_loss" in logs:
        parts.append(f"validation loss {float(logs['val_loss']):.3f}")
    return parts


def _before_and_after(logs: dict, name: str, text: str, form: str, scale: float) -> str:
    values = [scale * float(logs[key]) for key in (f"{name}_before", name) if key in logs]
    return text.format(" → ".join(map(form.format, values))) if values else ""


def _duration(seconds: float) -> str:
    seconds = round(seconds)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes}:{seconds % 60:02}"


def _encodable(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("━", "#").replace("·", ".").replace("→", "->")
    return text
