"""The training of missing runs, one or several at a time, which continues when a run fails."""

import concurrent.futures
import sys
import threading
import time
from typing import NamedTuple

from launch.progress import QUIET, duration
from launch.reproduction import cost
from launch.reproduction.children import Children
from launch.reproduction.runs import BEGUN, FINISHED, MISSING
from launch.reproduction.slots import WHOLE_MACHINE


class Failure(NamedTuple):
    """A run that didn't finish.

    Attributes:
        run: `Run`.
        reason: in words.
    """

    run: tuple
    reason: str


class Queue:
    """The runs to be done.

    Args:
        runs: list of `Run`, each of them once.
        execute: function of a run and a function of its latest line; returns its exit status.
        say: function of a line for the screen, and whether another may replace it.
        clock: function that returns seconds.
        slots: tuple of `Slot`, each of which takes a run at a time.
    """

    def __init__(self, runs, execute=None, say=None, clock=time.monotonic, slots=WHOLE_MACHINE):
        self.runs = runs
        self.failures = [_stale(run) for run in runs if run.stale]
        stale = {failure.run.path for failure in self.failures}
        self.waiting = [r for r in runs if r.state != FINISHED and r.path not in stale]
        self._left = list(self.waiting)
        self._children = Children()
        self._execute = execute or self._train
        self._say = say
        self._clock = clock
        self._slots = slots
        self._lock = threading.RLock()
        self._forecast = cost.Forecast(
            (run for run in runs if run.state == FINISHED), at_once=len(slots)
        )

    def announce(self):
        """Describes how many runs are left, and how long they will take."""
        states = [run.state for run in self.runs]
        counts = [f"{states.count(state)} {state}" for state in (FINISHED, BEGUN, MISSING)]
        if not self.waiting:
            return f"Runs: {', '.join(counts)}. Nothing to train."
        left = self._forecast.left(self.waiting).capitalize()
        basis = "estimated from finished runs of the same recipes"
        if any(self._forecast.of(run) is None for run in self.waiting):
            basis = "a run of a recipe without a finished run shows its own estimate when it starts"
        return f"Runs: {', '.join(counts)}. {left} ({basis})."

    def work(self, done=lambda run: None):
        """Runs what is waiting, as many at a time as there are slots; what fails is remembered.

        Args:
            done: called with each run that has finished.

        Raises:
            KeyboardInterrupt: Ctrl-C; all runs that were at work have ended as well.
        """
        turns = iter(list(enumerate(self.waiting)))
        if len(self._slots) == 1:
            self._take_turns(self._slots[0], turns, self._say or Screen(), done)
            return
        with concurrent.futures.ThreadPoolExecutor(len(self._slots)) as threads:
            working = [
                threads.submit(self._take_turns, slot, turns, self._say or Lines(), done)
                for slot in self._slots
            ]
            try:
                for thread in concurrent.futures.as_completed(working):
                    thread.result()
            except BaseException:
                self._children.end()
                raise

    def _take_turns(self, slot, turns, say, done):
        """Trains one run after the other in a slot, until none is left or all are to end."""
        while not self._children.ended:
            with self._lock:
                number, run = next(turns, (None, None))
            if run is None:
                return
            title = f"[{number + 1}/{len(self.waiting)}] {run.title}"
            self._run(run, slot, f"{title} on {slot.name}" if slot.name else title, say, done)

    def _run(self, run, slot, title, say, done):
        done_before = run.epochs_done
        with self._lock:
            state = f"going on after epoch {done_before} " if done_before else ""
            left = self._forecast.left(self._left)
            say(f"{title}  {state}({left})", False)
        started = self._clock()
        status = self._execute(slot.place(run), lambda line: say(f"{title}  {line}", True))
        seconds = self._clock() - started
        if self._children.ended:
            return
        with self._lock:
            self._left.remove(run)
            if status or run.state != FINISHED:
                self.failures.append(Failure(run, reason(status, run.log)))
                say(f"{title}  FAILED after {duration(seconds)}", False)
                return
            if not done_before:
                self._forecast.note(run, seconds)
            say(f"{title}  {_result(run.report)} after {duration(seconds)}", False)
            done(run)

    def _train(self, run, show):
        """Trains in a process of its own, whose output goes to the run's log."""
        arguments = ["-m", "launch.train", *run.arguments]
        return self._children.execute(arguments, run.log, show, run.environment)


class Screen:
    """Writes lines; of those that another will replace, on a terminal all, elsewhere some."""

    def __init__(self, stream=None, clock=time.monotonic):
        self._stream = stream or sys.stderr
        self._clock = clock
        self._width, self._written = 0, clock()

    def __call__(self, line, passing):
        if not self._stream.isatty():
            # The runs themselves say something at least as often.
            if passing and self._clock() - self._written < QUIET:
                return
            passing = False
        self._written = self._clock()
        line = line[:118] if passing else line
        start = "\r" if self._width else ""
        end = "" if passing else "\n"
        self._stream.write(f"{start}{line.ljust(self._width)}{end}")
        self._stream.flush()
        self._width = len(line) if passing else 0


class Lines:
    """Writes lines of one of several runs; of those that another will replace, some."""

    def __init__(self, stream=None, clock=time.monotonic):
        self._stream = stream or sys.stderr
        self._clock = clock
        self._written = clock()

    def __call__(self, line, passing):
        if passing and self._clock() - self._written < QUIET:
            return
        self._written = self._clock()
        self._stream.write(f"{line}\n")
        self._stream.flush()


def reason(status, log):
    """Describes why a process has failed: its status, its last error, and the path of its log.

    Args:
        status: exit status.
        log: path of its output.

    Returns:
        A line of text.
    """
    lines = log.read_text().splitlines() if log.is_file() else []
    errors = [line for line in lines if "Error: " in line]
    return f"ended with status {status}{': ' + errors[-1] if errors else ''}; see {log}"


def _result(report):
    accuracy = report.get("accuracy")
    return f"loss {report['loss']:.3f}" if accuracy is None else f"{100 * accuracy:.2f} %"


def _stale(run):
    return Failure(
        run,
        f"was run with other flags: {', '.join(run.stale)}. Choose another --runs_dir, or remove "
        f"{run.path}",
    )
