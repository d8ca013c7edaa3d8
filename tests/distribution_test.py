"""Two logical CPU devices in a process of their own against one."""

import subprocess
import sys

import numpy as np
import pytest

LEARNERS = ["cavia", "fomaml", "meta_ticket", "metaoptnet", "protonet", "regularized", "reptile"]
TRAINING = """
import sys
import keras, numpy as np, tensorflow as tf
from tests.evaluation.toys import toy_classes
from tests.tasks import small_conv
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.callbacks import IHT
from tfmgaug.learners import (
    ANIL,
    CAVIA,
    FOMAML,
    MetaOptNet,
    MetaTicket,
    ProtoNet,
    Reptile,
)
from tfmgaug.masks import CatfishMask, MagnitudeMask, ScoreMask
from tfmgaug.optimizers import L2SGD
from tfmgaug.regularizers import DropBlock, GradDrop, MRActivations, MRWeights

replicas, path = int(sys.argv[1]), sys.argv[2]
if replicas > 1:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
else:
    strategy = tf.distribute.get_strategy()
learners = {
    "fomaml": lambda: FOMAML(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        inner_steps=2,
        augmentation=MGAug(CatfishMask((0.0, 0.2)), subnetworks=2),
    ),
    "cavia": lambda: CAVIA(
        mlp(3, (16, 16, 1), hidden=(16, 8), normalization=False, context=4, name="net"),
        clip_task_gradients=1.0,
    ),
    "metaoptnet": lambda: MetaOptNet(
        small_conv(way=None), regularizers=[DropBlock(0.2, [1, 3], ramp_steps=10)]
    ),
    "meta_ticket": lambda: MetaTicket(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        score_mask=ScoreMask(0.3, sparsity="fixed"),
        inner_steps=1,
    ),
    "protonet": lambda: ProtoNet(small_conv(way=None), statistics="running"),
    "reptile": lambda: Reptile(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        inner_steps=3,
        inner_batch=2,
        magnitude_mask=MagnitudeMask(0.4),
    ),
    "regularized": lambda: ANIL(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        inner_steps=2,
        regularizers=[GradDrop(), MRWeights(), MRActivations()],
    ),
}
results = {}
for name, make in learners.items():
    with strategy.scope():
        learner = make()
        decaying = L2SGD(0.01, l2=0.01, momentum=0.9, nesterov=True)
        learner.compile(decaying if name == "metaoptnet" else keras.optimizers.Adam(0.01))
    episodes = EpisodeSampler(toy_classes(size=16), way=3, shot=1, query=3, tasks=4)
    pruned = learner.magnitude_mask is not None
    history = learner.fit(
        episodes.dataset(),
        steps_per_epoch=20,
        verbose=0,
        shuffle=False,
        callbacks=[IHT(4, 6, 3)] if pruned else [],
    ).history
    results[f"{name} step"] = int(learner.step.numpy())
    results[f"{name} loss"] = history["loss"][0]
    for variable in learner.weights:
        results[f"{name} {variable.path}"] = keras.ops.convert_to_numpy(variable)
with strategy.scope():
    try:
        Reptile(mlp(3, (4,), hidden=(4,)), carry_slots=True, parallel_tasks=1)
        results["carrying"] = "taken"
    except ValueError as error:
        results["carrying"] = str(error)
    try:
        ProtoNet(small_conv(way=None)).compile(keras.optimizers.Adam(clipnorm=1.0))
        results["clipping"] = "taken"
    except ValueError as error:
        results["clipping"] = str(error)
np.savez(path, **results)
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What two replicas of two tasks end with, and what one of four does."""
    folder = tmp_path_factory.mktemp("replicas")
    paths = {replicas: folder / f"{replicas}.npz" for replicas in (2, 1)}
    for replicas, path in paths.items():
        command = [sys.executable, "-c", TRAINING, str(replicas), str(path)]
        subprocess.run(command, check=True, capture_output=True)
    return [np.load(path) for path in paths.values()]


@pytest.mark.parametrize("name", LEARNERS)
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


def test_clipping_is_refused_with_replicas_alone(results):
    two, one = results
    assert str(one["clipping"]) == "taken"
    assert "clips each replica's gradient" in str(two["clipping"])
    assert "['clipnorm'] with 2 replicas" in str(two["clipping"])


def test_slots_are_carried_on_one_replica_alone(results):
    two, one = results
    assert str(one["carrying"]) == "taken"
    assert "Received: parallel_tasks=1, 2 replica(s)" in str(two["carrying"])
