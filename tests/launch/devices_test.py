import os

import pytest
import tensorflow as tf

from launch import devices, environment


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
