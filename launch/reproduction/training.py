"""The training of missing runs, one after the other, which continues when a run fails."""

import contextlib
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from launch.progress import QUIET, duration
from launch.reproduction import cost
from launch.reproduction.runs import BEGUN, FINISHED, MISSING

_PATIENCE = 30  # seconds in which an interrupted run may write what it has


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
    """

    def __init__(self, runs, execute=None, say=None, clock=time.monotonic):
        self.runs = runs
        self.failures = [_stale(run) for run in runs if run.stale]
        stale = {failure.run.path for failure in self.failures}
        self.waiting = [r for r in runs if r.state != FINISHED and r.path not in stale]
        self._execute = execute or train
        self._say = say or Screen()
        self._clock = clock
        self._forecast = cost.Forecast(run for run in runs if run.state == FINISHED)

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
        """Runs what is waiting; what fails is remembered.

        Args:
            done: called with each run that has finished.
        """
        for number, run in enumerate(self.waiting):
            done_before = run.epochs_done
            state = f"going on after epoch {done_before} " if done_before else ""
            title = f"[{number + 1}/{len(self.waiting)}] {run.title}"
            left = self._forecast.left(self.waiting[number:])
            self._say(f"{title}  {state}({left})", False)
            started = self._clock()
            status = self._execute(
                run, lambda line, title=title: self._say(f"{title}  {line}", True)
            )
            seconds = self._clock() - started
            if status or run.state != FINISHED:
                self.failures.append(Failure(run, reason(status, run.log)))
                self._say(f"{title}  FAILED after {duration(seconds)}", False)
                continue
            if not done_before:
                self._forecast.note(run, seconds)
            self._say(f"{title}  {_result(run.report)} after {duration(seconds)}", False)
            done(run)


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


def train(run, show):
    """Trains in a process of its own, whose output goes to the run's log.

    Args:
        run: `Run`.
        show: function of its latest line.

    Returns:
        The exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C; the process has ended as well.
    """
    return execute(["-m", "launch.train", *run.arguments], run.log, show)


def execute(arguments, log, show):
    """Runs Python in a process of its own.

    Args:
        arguments: list, Python's.
        log: path of the file that its output is added to.
        show: function of its latest line.

    Returns:
        The exit status.

    Raises:
        KeyboardInterrupt: Ctrl-C; the process has ended as well.
        OSError: the log cannot be written; the process has ended as well.
    """
    # Imports TensorFlow, which plans and lists have no need of.
    from tfmgaug.files import FULL, check_writable, explained

    check_writable(log)
    with explained(log, codes=FULL), log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, "-u", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        try:
            for line in process.stdout:
                file.write(line)
                file.flush()
                show(line.strip())
            return process.wait()
        except BaseException:
            _end(process)
            raise


def _end(process):
    # Ctrl-C on a terminal reached the process too; elsewhere it hasn't heard of it.
    for wait, tell in ((3, signal.SIGINT), (_PATIENCE, signal.SIGTERM), (3, signal.SIGKILL)):
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=wait)
            return
        process.send_signal(tell)
    process.wait()


def _result(report):
    accuracy = report.get("accuracy")
    return f"loss {report['loss']:.3f}" if accuracy is None else f"{100 * accuracy:.2f} %"


def _stale(run):
    return Failure(
        run,
        f"was run with other flags: {', '.join(run.stale)}. Choose another --runs_dir, or remove "
        f"{run.path}",
    )
