"""Which devices a run is spread over."""

import tensorflow as tf


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
