"""The child process of one implementation, which takes a step whenever it is told to.

It is run as a script. Requests come in and replies go out as lines of JSON; what a framework prints
goes to the standard error stream, so that it can't get between them.
"""

import contextlib
import gc
import importlib
import json
import os
import pathlib
import resource
import signal
import sys
import time

_PACKAGES = ("higher", "jax", "jaxlib", "torch")


class Session:
    """The state of one child process; each method answers the request of its name."""

    def __init__(self):
        self._peer = None

    def load(self, module, options, workload, dtype, seed):
        """Imports the framework."""
        from launch.benchmarks import problem, workloads

        started = time.perf_counter()
        self._module = importlib.import_module(module)
        seconds = time.perf_counter() - started
        megabytes = _memory("VmRSS")
        self._options, self._dtype, self._seed = options, dtype, seed
        self._workload = workloads.Workload(**{n: _tuple(v) for n, v in workload.items()})
        self._problem = problem.draw(self._workload, seed)
        return {"import_seconds": seconds, "import_megabytes": megabytes}

    def first_step(self):
        """Builds, traces, compiles, and takes the first step."""
        started = time.perf_counter()
        self._peer = self._module.build(
            self._workload, self._problem, dtype=self._dtype, **self._options
        )
        result = self._peer.step()
        seconds = time.perf_counter() - started
        return {"first_step_seconds": seconds, **self._peer.measure(result)}

    def step(self):
        """Takes a step."""
        started = time.perf_counter()
        result = self._peer.step()
        seconds = time.perf_counter() - started
        del result  # and its gradients, before the next step needs the room
        return {"seconds": seconds}

    def peak(self):
        """Reports the most memory that was resident so far."""
        return {"peak_megabytes": _memory("VmHWM")}

    def check(self):
        """Takes a step with the fixed masks that all implementations share."""
        from launch.benchmarks import problem

        masks = problem.draw_masks(self._workload, self._seed)
        return self._peer.measure(self._peer.step(masks))


def main():
    """Answers requests until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends us
    _give_way_when_memory_is_short()
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    session = Session()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = getattr(session, request.pop("do"))(**request)
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            reply = {"missing": package} if package in _PACKAGES else {"error": _describe(error)}
        except Exception as error:  # a failing peer is a result too
            reply = {"error": _describe(error)}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
        gc.collect()  # between the steps, as it would happen now and then within them


def _describe(error):
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:300]}"


def _memory(field):
    """Reads this process's memory in megabytes: "VmRSS" is resident now, "VmHWM" at most."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
    except OSError:
        # Elsewhere than on Linux. On Linux it would also count the parent, which was forked.
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1e6 if sys.platform == "darwin" else 1e3)
    fields = dict(line.split(":", 1) for line in status.splitlines())
    return int(fields[field].split()[0]) * 1024 / 1e6


def _give_way_when_memory_is_short():
    with contextlib.suppress(OSError):  # not Linux
        pathlib.Path("/proc/self/oom_score_adj").write_text("1000")


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


if __name__ == "__main__":
    sys.path[0] = str(pathlib.Path(__file__).resolve().parents[2])  # not the folder of this script
    main()
