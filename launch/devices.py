"""The devices and threads of a run."""

import os
from typing import NamedTuple

import tensorflow as tf


class Load(NamedTuple):
    """What the devices of a run share out at each outer step.

    Attributes:
        number: how many there are.
        unit: what they are, "tasks" or "images".
        alone: why one device has to take them all, or "".
    """

    number: int
    unit: str
    alone: str


def load(experiment):
    """Returns the load of a run.

    Args:
        experiment: `launch.experiment.Experiment`.
    """
    alone = ""
    if experiment.learner.arguments.get("carry_slots"):
        alone = "--carry_slots runs tasks one after another"
    elif experiment.optimizer.arguments.get("clip_gradients") is not None:
        alone = "--clip_gradients clips the meta-gradient of all tasks together"
    if experiment.learner.name == "fine_tuning":
        return Load(experiment.batch_size, "images", alone)
    return Load(experiment.tasks, "tasks", alone)


def set_threads(threads, tasks):
    """Sets how many threads share one operation; to be called before TensorFlow's first operation.

    Tasks run side by side. Where there is a task for every core, nothing is gained by sharing out
    each operation as well, and up to a third of the time is lost in waiting for each other.

    Args:
        threads: int >= 1, or 0: one if there are as many tasks as cores and no GPU, TensorFlow's
            default otherwise.
        tasks: int, tasks in an outer step.

    Returns:
        What was chosen, in words.
    """
    cores = os.cpu_count() or 1
    if not threads and tasks >= cores and not tf.config.list_physical_devices("GPU"):
        threads = 1
    if threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return f"{threads or 'default'} thread{'s' if threads != 1 else ''} an operation"


def strategy(distribute, shared):
    """Chooses a distribution strategy.

    Args:
        distribute: "none"; "mirrored": all GPUs, or all logical CPUs where there is no GPU;
            "auto": as many GPUs as can share the load evenly.
        shared: `Load`.

    Returns:
        A `tf.distribute.Strategy`, and a line about devices that stay idle, or "".

    Raises:
        ValueError: "mirrored", and the load can't be shared out evenly.
    """
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")]
    if distribute == "none" or (distribute == "auto" and len(gpus) < 2):
        return tf.distribute.get_strategy(), ""
    if distribute == "mirrored":
        devices = gpus or [device.name for device in tf.config.list_logical_devices("CPU")]
        _refuse_uneven(len(devices), shared)
        return tf.distribute.MirroredStrategy(devices), ""
    number, reason = _sharing(len(gpus), shared)
    idle = f"{number} of {len(gpus)} devices: {reason}" if number < len(gpus) else ""
    if number == 1:
        return tf.distribute.get_strategy(), idle
    return tf.distribute.MirroredStrategy(gpus[:number]), idle


def _sharing(devices, shared):
    """How many devices share a load, and why not more do."""
    if shared.alone:
        return 1, shared.alone
    number = max(n for n in range(1, devices + 1) if shared.number % n == 0)
    units = shared.unit if shared.number > 1 else shared.unit.removesuffix("s")
    return number, f"{shared.number} {units} can't be shared evenly by more"


def _refuse_uneven(devices, shared):
    if shared.number % devices:
        flag = {"tasks": "tasks", "images": "batch_size"}[shared.unit]
        raise ValueError(
            f"--{flag} must be a multiple of the number of devices, {devices}: whole "
            f"{shared.unit} are shared out. Received: --{flag}={shared.number} (--distribute=auto "
            "takes as many devices as can share them)."
        )
