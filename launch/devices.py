"""The devices and threads of a run."""

import os

import tensorflow as tf


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


def strategy(distribute, tasks):
    """Chooses a distribution strategy.

    Args:
        distribute: "none"; "mirrored": all GPUs, or all logical CPUs where there is no GPU;
            "auto": mirrored if there is more than one GPU.
        tasks: int, tasks in an outer step, which the replicas share out.

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: the tasks can't be shared out evenly.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if distribute == "none" or (distribute == "auto" and len(gpus) < 2):
        return tf.distribute.get_strategy()
    devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    if tasks % len(devices):
        raise ValueError(
            f"--tasks must be a multiple of the number of devices, {len(devices)}: whole tasks are "
            f"shared out. Received: --tasks={tasks}."
        )
    return tf.distribute.MirroredStrategy(devices)
