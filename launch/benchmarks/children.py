"""Child processes, in each of which one implementation runs."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

_WORKER = pathlib.Path(__file__).with_name("worker.py")


class ChildError(RuntimeError):
    """A child could not do what it was asked to; the message says why, in a line."""


class Child:
    """One implementation in a process of its own.

    Args:
        implementation: `Implementation`.
        workload: `Workload`.
        dtype: "float32" or "bfloat16".
        seed: int, of weights, images and masks.

    Raises:
        ChildError: it can't be imported.

    Example:
        >>> with Child(implementation, workload, "float32", seed=0) as child:
        ...     child.ask("first_step")["loss"]
    """

    def __init__(self, implementation, workload, dtype, seed):
        self.implementation = implementation
        # A file, as nobody reads a pipe while a framework fills it with warnings.
        self._notes = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._notes,
            env={**os.environ, **implementation.environment},
            text=True,
        )
        try:
            self.loaded = self.ask(
                "load",
                module=implementation.module,
                options=implementation.options,
                workload=dataclasses.asdict(workload),
                dtype=dtype,
                seed=seed,
            )
        except BaseException:
            self.end()
            raise

    def ask(self, what, **details):
        """Asks for something and waits for it.

        Args:
            what: name of a method of the worker's `Session`.
            **details: its arguments.

        Returns:
            The reply, a dictionary.

        Raises:
            ChildError: the child failed or is dead.
        """
        try:
            self._process.stdin.write(json.dumps({"do": what, **details}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ChildError(self._cause_of_death())
        reply = json.loads(line)
        if "missing" in reply:
            raise ChildError(f"not installed: {reply['missing']}. pip install -e '.[bench]'")
        if "error" in reply:
            raise ChildError(reply["error"])
        return reply

    def end(self):
        """Ends the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._notes):
            with contextlib.suppress(BrokenPipeError):  # a request that nobody read
                stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def _cause_of_death(self):
        code = self._process.wait()
        if code >= 0:
            return f"ended with status {code}: {self._last_note()}"
        name = signal.Signals(-code).name
        hint = ", probably out of memory" if name == "SIGKILL" else f": {self._last_note()}"
        return f"ended by {name}{hint}"

    def _last_note(self):
        self._notes.seek(0)
        lines = self._notes.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no message")[:300]


def available_megabytes():
    """How much memory new processes may take; None where the system doesn't say."""
    try:
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    fields = dict(line.split(":", 1) for line in lines)
    return int(fields["MemAvailable"].split()[0]) * 1024 / 1e6
