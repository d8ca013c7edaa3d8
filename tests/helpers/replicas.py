"""Trains learners on one device, or on two: `python -m tests.helpers.replicas 2 results.npz`."""

import sys

import keras
import numpy as np
import tensorflow as tf

from tests.helpers.tasks import small_conv
from tests.helpers.toys import toy_classes
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.callbacks import IHT
from tfmgaug.data import EpisodeSampler, LabeledSampler
from tfmgaug.learners import (
    ANIL,
    CAVIA,
    FOMAML,
    MAML,
    FineTuning,
    MetaOptNet,
    MetaTicket,
    ProtoNet,
    Reptile,
)
from tfmgaug.masks import CatfishMask, MagnitudeMask, ScoreMask
from tfmgaug.optimizers import L2SGD
from tfmgaug.regularizers import (
    DropBlock,
    GradDrop,
    InequalityTAML,
    MRActivations,
    MRWeights,
    TrajectoryCoherence,
)

CLASSES = toy_classes(size=16)
LEARNERS = {
    "fomaml": lambda: FOMAML(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        inner_steps=2,
        augmentation=MGAug(CatfishMask((0.0, 0.2)), subnetworks=2),
    ),
    "cavia": lambda: CAVIA(
        mlp(3, (16, 16, 1), hidden=(16, 8), normalization=False, context=4, name="net"),
        clip_task_gradients=1.0,
    ),
    "fine_tuning": lambda: FineTuning(
        mlp(3, (16, 16, 1), hidden=(16,), normalization=False, name="net"),
        classes=len(CLASSES.counts),
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
        penalized(mlp(3, (16, 16, 1), hidden=(16,), name="net")),
        inner_steps=2,
        regularizers=[GradDrop(), MRWeights(), MRActivations()],
    ),
    "taml": lambda: FOMAML(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        inner_steps=1,
        regularizers=[InequalityTAML("ge", 3.0)],
        measure_before=False,
    ),
    "trajectory_coherence": lambda: MAML(
        mlp(3, (16, 16, 1), hidden=(16,), name="net"),
        inner_steps=1,
        regularizers=[TrajectoryCoherence(2.0)],
    ),
}


def penalized(backbone):
    """Gives all weights a penalty, which is added once an outer step."""
    for variable in backbone.trainable_variables:
        variable.regularizer = keras.regularizers.L2(0.01)
    return backbone


def strategy_of(replicas):
    """Makes two logical CPU devices, if two are asked for."""
    if replicas == 1:
        return tf.distribute.get_strategy()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


def train(name, strategy):
    """Trains a learner for 20 steps; returns what it ends with."""
    with strategy.scope():
        learner = LEARNERS[name]()
        decaying = L2SGD(0.01, l2=0.01, momentum=0.9, nesterov=True)
        learner.compile(decaying if name == "metaoptnet" else keras.optimizers.Adam(0.01))
    evaluated, tasks = {}, EpisodeSampler(CLASSES, way=3, shot=1, query=3, tasks=4)
    examples = tasks
    if name == "fine_tuning":
        examples = LabeledSampler(CLASSES, batch=16)
        # Before it is trained, which rounds otherwise on replicas.
        outcomes = learner.evaluate(tasks.dataset(episodes=8), verbose=0, return_dict=True)
        evaluated = {"evaluated": outcomes["loss"]}
    pruned = learner.magnitude_mask is not None
    history = learner.fit(
        examples.dataset(),
        steps_per_epoch=20,
        verbose=0,
        shuffle=False,
        callbacks=[IHT(4, 6, 3)] if pruned else [],
    ).history
    results = {variable.path: keras.ops.convert_to_numpy(variable) for variable in learner.weights}
    results |= {"step": int(learner.step.numpy()), "loss": history["loss"][0]}
    results |= evaluated
    return {f"{name} {key}": value for key, value in results.items()}


def refusal(function, strategy):
    """Returns what an error says, or that there was none."""
    try:
        with strategy.scope():
            function()
    except ValueError as error:
        return str(error)
    return "taken"


def evaluate_unevenly(strategy):
    """Evaluates 4 tasks in batches of 3, whose halves are 2 and 1, and 1 and none."""
    with strategy.scope():
        learner = LEARNERS["fomaml"]()
        learner.compile(keras.optimizers.Adam(0.01))
    tasks = EpisodeSampler(CLASSES, way=3, shot=1, query=3, tasks=3).dataset(episodes=4)
    results = learner.evaluate(tasks, verbose=0, return_dict=True)
    return {f"uneven {name}": value for name, value in results.items()}


def main(replicas, path):
    strategy, results = strategy_of(replicas), {}
    results |= evaluate_unevenly(strategy)
    for name in LEARNERS:
        results |= train(name, strategy)
    results["carrying"] = refusal(
        lambda: Reptile(mlp(3, (4,), hidden=(4,)), carry_slots=True, parallel_tasks=1), strategy
    )
    results["clipping"] = refusal(
        lambda: ProtoNet(small_conv(way=None)).compile(keras.optimizers.Adam(clipnorm=1.0)),
        strategy,
    )
    np.savez(path, **results)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
