"""The child processes in which runs are trained, tested and drawn."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

_PATIENCE = 30  # seconds in which an interrupted run may write what it has


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
    return Children().execute(arguments, log, show)


class Children:
    """Processes that may run at the same time, each watched by a thread, and end together."""

    def __init__(self):
        self._running = set()
        self._lock = threading.Lock()
        self.ended = False

    def execute(self, arguments, log, show, environment=None):
        """Runs Python in a process of its own.

        Args:
            arguments: list, Python's.
            log: path of the file that its output is added to.
            show: function of its latest line.
            environment: dictionary of variables that are set for it.

        Returns:
            The exit status.

        Raises:
            KeyboardInterrupt: Ctrl-C, or `end`; the process has ended as well.
            OSError: the log cannot be written; the process has ended as well.
        """
        # Imports TensorFlow, which plans and lists have no need of.
        from tfmgaug.files import FULL, check_writable, explained

        check_writable(log)
        with explained(log, codes=FULL), log.open("a") as file:
            process = self._start(arguments, environment or {})
            try:
                for line in process.stdout:
                    file.write(line)
                    file.flush()
                    show(line.strip())
                return process.wait()
            except BaseException:
                # What it still has to say must not fill the pipe, or it would wait for a reader.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                _end([process])
                raise
            finally:
                with self._lock:
                    self._running.discard(process)

    def _start(self, arguments, environment):
        with self._lock:
            if self.ended:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                [sys.executable, "-u", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                env={**os.environ, **environment},
            )
            self._running.add(process)
        return process

    def end(self):
        """Ends all processes, and starts no other; runs keep the checkpoints that they have."""
        with self._lock:
            self.ended = True
            running = list(self._running)
        _end(running)


def _end(processes):
    # Ctrl-C on a terminal reached the processes too; elsewhere they haven't heard of it.
    for wait, tell in ((3, signal.SIGINT), (_PATIENCE, signal.SIGTERM), (3, signal.SIGKILL)):
        until = time.monotonic() + wait
        with contextlib.suppress(subprocess.TimeoutExpired):
            for process in processes:
                process.wait(max(0, until - time.monotonic()))
            return
        for process in processes:
            process.send_signal(tell)
    for process in processes:
        process.wait()
