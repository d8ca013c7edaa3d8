"""The devices that runs trained at the same time are given, one for each run."""

import os
import subprocess
import sys
from typing import NamedTuple

_COUNT = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"


class Slot(NamedTuple):
    """A place for one run at a time.

    Attributes:
        name: shown on the screen, or "".
        environment: dictionary of variables that are set for the run's process.
        threads: int, CPU threads that share an operation; 0: as the run has it.
    """

    name: str = ""
    environment: dict = {}
    threads: int = 0

    def place(self, run):
        """Returns a run as it is started here.

        Args:
            run: `Run`. One that was begun goes on with the threads that it has, and so with the
                same rounding; `--threads` that the user chose stays as well.
        """
        threads = (run.saved or {}).get("threads", self.threads)
        chosen = any(text.startswith("--threads=") for text in run.arguments)
        added = [f"--threads={threads}"] if threads and not chosen else []
        return run._replace(arguments=[*run.arguments, *added], environment=self.environment)


WHOLE_MACHINE = (Slot(),)


def slots(jobs, gpus=None, cores=None):
    """Divides the machine.

    Args:
        jobs: int >= 1, runs at the same time.
        gpus: list of the names of GPUs, as CUDA_VISIBLE_DEVICES has them; None: those that there
            are.
        cores: int, CPU cores; None: those that there are.

    Returns:
        A tuple of `Slot`. A single one has the whole machine.

    Raises:
        ValueError: there are fewer devices than jobs.
    """
    if jobs == 1:
        return WHOLE_MACHINE
    gpus = visible_gpus() if gpus is None else gpus
    cores = len(os.sched_getaffinity(0)) if cores is None else cores
    there, kind = (len(gpus), "GPUs") if gpus else (cores, "CPU cores")
    if jobs > there:
        raise ValueError(
            f"--jobs must be at most the number of {kind}, {there}: each run has a device of its "
            f"own. Received: --jobs={jobs}."
        )
    if gpus:
        return tuple(Slot(f"GPU {gpu}", {"CUDA_VISIBLE_DEVICES": gpu}) for gpu in gpus[:jobs])
    share = cores // jobs
    return (Slot(f"{share} of {cores} cores", {}, share),) * jobs


def visible_gpus():
    """Returns the names of the GPUs that TensorFlow would use, as CUDA_VISIBLE_DEVICES has them."""
    # In a process of its own, so that this one holds none of their memory.
    counted = subprocess.run(
        [sys.executable, "-c", _COUNT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    number = int(counted.stdout.split()[-1]) if counted.returncode == 0 else 0
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = map(str, range(number)) if chosen is None else chosen.split(",")
    return [name.strip() for name in names][:number]
