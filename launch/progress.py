"""Messages about progress: how far a command is, and how long it will take.

On a terminal a line is redrawn. Elsewhere, in logs, there is an estimate before work that is longer
than a minute, a line at least every 30 seconds, and a total at its end.
"""

import contextlib
import sys
import threading
import time

LONG = 60.0  # seconds of work that are announced
QUIET = 30.0  # seconds without a line, at most
_EVERY = 20.0  # seconds between a counter's lines, which so come before a pulse's


class Counter:
    """Counts the units of work that are done; a progress function of `tfmgaug`.

    Args:
        title: of the work, as "Evaluating FOMAML".
        unit: what is counted.
        more: int, further pieces of work of this size that follow.
        stream: where to write; standard output by default.
        clock: function that returns seconds.
    """

    def __init__(self, title, unit, more=0, stream=None, clock=time.monotonic):
        self._title, self._unit, self._more = title, unit, more
        self._stream = stream or sys.stdout
        self._terminal = self._stream.isatty()
        self._clock = clock
        self._started = self._written = clock()
        self._first, self._announced, self._width = None, False, 0

    def __call__(self, done, total):
        now = self._clock()
        spent, left = now - self._started, self._left(now, done, total)
        if done >= total:
            self._end(total, spent)
        elif self._terminal:
            self._redraw(self._line(done, total, left))
        elif self._announces(spent, left):
            more = f", and as long for each of {self._more} more" if self._more else ""
            self._write(f"{self._title}: about {duration(spent + left)}{more}")
        elif now - self._written >= _EVERY:
            self._write(self._line(done, total, left))

    def _left(self, now, done, total):
        """Seconds that are left; None at the first batch, which traces and compiles."""
        if self._first is None:
            self._first = (now, done)
            return None
        started, before = self._first
        return (now - started) * (total - done) / (done - before)

    def _announces(self, spent, left):
        """Whether the first batch that was measured promises long work."""
        if left is None or self._announced:
            return False
        self._announced = True
        return (spent + left) * (1 + self._more) >= LONG

    def _line(self, done, total, left):
        ending = "" if left is None else f", {duration(left)} left"
        return f"{self._title}: {done}/{total} {self._unit}{ending}"

    def _end(self, total, spent):
        if self._terminal:
            self._redraw("")
        elif spent >= LONG:
            self._write(f"{self._title}: {total} {self._unit} in {duration(spent)}")

    def _write(self, line):
        self._written = self._clock()
        self._stream.write(f"{line}\n")
        self._stream.flush()

    def _redraw(self, line):
        end = "" if line else "\r"
        self._stream.write(f"\r{line.ljust(self._width)}{end}")
        self._stream.flush()
        self._width = len(line)


class Pulse:
    """Reports that a command is still at work, when it has written nothing for a while.

    Args:
        stream: where to write.
        clock: function that returns seconds.
    """

    def __init__(self, stream, clock=time.monotonic):
        self._stream = stream
        self._clock = clock
        self._started = self._heard = clock()
        self._last = ""

    def hear(self, text):
        """Remembers when the command last wrote, and its last line."""
        self._heard = self._clock()
        self._last = next((line for line in reversed(text.splitlines()) if line), self._last)

    def beat(self):
        """Writes a line if the command has been silent for long enough."""
        now = self._clock()
        if now - self._heard < QUIET:
            return
        self._heard = now
        after = f", after: {self._last}" if self._last else ""
        self._stream.write(f"Still at work, {duration(now - self._started)} so far{after}\n")
        self._stream.flush()


@contextlib.contextmanager
def pulse():
    """Writes a line at least every 30 seconds, where output is not a terminal.

    Example:
        >>> with pulse():
        ...     learner.fit(...)
    """
    if sys.stdout.isatty():
        yield
        return
    pulse, ended = Pulse(sys.stdout), threading.Event()

    def beat():
        while not ended.wait(1.0):
            pulse.beat()

    thread = threading.Thread(target=beat, daemon=True)
    with (
        contextlib.redirect_stdout(_Heard(sys.stdout, pulse)),
        contextlib.redirect_stderr(_Heard(sys.stderr, pulse)),
    ):
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class _Heard:
    """A stream whose text a pulse hears."""

    def __init__(self, stream, pulse):
        self._stream, self._pulse = stream, pulse

    def write(self, text):
        self._pulse.hear(text)
        return self._stream.write(text)

    def __getattr__(self, name):
        return getattr(self._stream, name)


def duration(seconds):
    """Formats a duration, in the unit that suits it."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (48 * 3600, 3600, "hours")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"
