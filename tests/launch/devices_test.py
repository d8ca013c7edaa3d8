import os

import pytest
import tensorflow as tf

from launch import devices, environment
from launch.devices import Load
from tests.launch import experiments


@pytest.fixture
def machine(monkeypatch):
    """Pretends to be a machine, and notes how many threads an operation is given."""
    given = []

    def pretend(cores, gpus=()):
        monkeypatch.setattr(devices.os, "cpu_count", lambda: cores)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: list(gpus))
        monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", given.append)
        return given

    return pretend


def test_a_task_for_every_core_means_one_thread_an_operation(machine):
    given = machine(cores=4)
    assert devices.set_threads(0, tasks=4) == "1 thread an operation"
    assert given == [1]


@pytest.mark.parametrize(("cores", "gpus", "tasks"), [(4, (), 3), (4, ("GPU:0",), 8)])
def test_fewer_tasks_or_a_gpu_leave_threads_to_tensorflow(machine, cores, gpus, tasks):
    given = machine(cores, gpus)
    assert devices.set_threads(0, tasks) == "default threads an operation"
    assert given == []


def test_the_user_decides_first(machine):
    given = machine(cores=4)
    assert devices.set_threads(2, tasks=8) == "2 threads an operation"
    assert given == [2]


def test_what_the_user_set_in_the_environment_stays(monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    monkeypatch.delenv("TF_CPU_ALLOCATOR_USE_BFC", raising=False)
    environment.prepare()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert os.environ["TF_CPU_ALLOCATOR_USE_BFC"] == "true"


@pytest.fixture
def gpus(monkeypatch):
    """Pretends to have some GPUs, and returns those that a mirrored strategy is given."""

    def pretend(number):
        listed = [tf.config.LogicalDevice(f"GPU:{n}", "GPU") for n in range(number)]
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: listed)
        monkeypatch.setattr(tf.distribute, "MirroredStrategy", list)

    return pretend


@pytest.mark.parametrize(
    ("devices_there", "tasks", "taken"), [(8, 4, 4), (8, 5, 5), (8, 16, 8), (6, 4, 4), (8, 14, 7)]
)
def test_auto_takes_the_largest_number_of_devices_that_divides_the_tasks(
    gpus, devices_there, tasks, taken
):
    gpus(devices_there)
    strategy, idle = devices.strategy("auto", Load(tasks, "tasks", ""))
    assert strategy == [f"GPU:{n}" for n in range(taken)]
    said = f"{taken} of {devices_there} devices: {tasks} tasks can't be shared evenly by more"
    assert idle == ("" if taken == devices_there else said)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            {"learner": "reptile", "carry_slots": True, "inner_optimizer": "adam"},
            "--carry_slots runs tasks one after another",
        ),
        (
            {"clip_gradients": 10.0},
            "--clip_gradients clips the meta-gradient of all tasks together",
        ),
        ({"tasks": 1}, "1 task can't be shared evenly by more"),
    ],
)
def test_auto_takes_one_device_where_no_more_can_be_taken(gpus, flags, said):
    gpus(8)
    shared = devices.load(experiments.make(**{"mask": "none", "parallel_tasks": 1, **flags}))
    strategy, idle = devices.strategy("auto", shared)
    assert (strategy, idle) == (tf.distribute.get_strategy(), f"1 of 8 devices: {said}")


def test_fine_tuning_shares_out_the_images_of_a_batch():
    fine_tuning = {"learner": "fine_tuning", "mask": "none", "batch_size": 64}
    assert devices.load(experiments.make(**fine_tuning)) == Load(64, "images", "")


def test_mirrored_takes_all_devices_or_refuses(gpus):
    gpus(8)
    assert devices.strategy("mirrored", Load(16, "tasks", ""))[0] == [f"GPU:{n}" for n in range(8)]
    with pytest.raises(ValueError, match="--tasks must be a multiple of .* 8.*--tasks=4"):
        devices.strategy("mirrored", Load(4, "tasks", ""))
