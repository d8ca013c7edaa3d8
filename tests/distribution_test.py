"""Two logical CPU devices in a process of their own against one."""

import subprocess
import sys

import numpy as np
import pytest

from tests.helpers.replicas import LEARNERS

TASK_LEARNERS = [name for name in LEARNERS if name != "fine_tuning"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What two replicas of two tasks end with, and what one of four does."""
    folder = tmp_path_factory.mktemp("replicas")
    paths = {replicas: folder / f"{replicas}.npz" for replicas in (2, 1)}
    for replicas, path in paths.items():
        command = [sys.executable, "-m", "tests.helpers.replicas", str(replicas), str(path)]
        subprocess.run(command, check=True, capture_output=True)
    return [np.load(path) for path in paths.values()]


@pytest.mark.parametrize("name", TASK_LEARNERS)
def test_two_replicas_end_with_the_bits_of_one(results, name):
    two, one = results
    assert int(two[f"{name} step"]) == int(one[f"{name} step"]) == 20
    keys = [key for key in one.files if key.startswith(name) and "/" in key]
    assert len(keys) >= 7
    for key in keys:
        np.testing.assert_array_equal(two[key], one[key], err_msg=key)


@pytest.mark.parametrize("name", LEARNERS)
def test_the_loss_is_the_mean_over_all_replicas(results, name):
    two, one = results
    np.testing.assert_allclose(two[f"{name} loss"], one[f"{name} loss"], rtol=1e-6)


def test_fine_tuning_shares_out_the_images_of_a_batch(results):
    two, one = results
    keys = [key for key in one.files if key.startswith("fine_tuning") and "/" in key]
    assert len(keys) >= 6  # the head that tasks start from is one of them
    for key in keys:
        # Means of two halves are rounded otherwise than means of all: not bit for bit.
        np.testing.assert_allclose(two[key], one[key], rtol=1e-4, atol=1e-6, err_msg=key)
    assert int(two["fine_tuning step"]) == 20


def test_tasks_start_from_the_same_heads_on_replicas(results):
    two, one = (float(found["fine_tuning evaluated"]) for found in results)
    np.testing.assert_allclose(two, one, rtol=1e-6)


def test_tasks_that_replicas_share_unevenly_are_evaluated_as_on_one_device(results):
    two, one = results
    names = [name for name in one.files if name.startswith("uneven")]
    assert {"uneven loss", "uneven accuracy"} <= set(names)
    for name in names:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-6, err_msg=name)


def test_clipping_is_refused_with_replicas_alone(results):
    two, one = results
    assert str(one["clipping"]) == "taken"
    assert "clips each replica's gradient" in str(two["clipping"])
    assert "['clipnorm'] with 2 replicas" in str(two["clipping"])


def test_slots_are_carried_on_one_replica_alone(results):
    two, one = results
    assert str(one["carrying"]) == "taken"
    assert "Received: parallel_tasks=1, 2 replica(s)" in str(two["carrying"])
