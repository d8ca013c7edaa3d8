"""Every regularizer with every learner: it trains, saves, resumes and exports, or says why not."""

import keras
import numpy as np
import pytest

from tests.helpers.tasks import batch, dataset, flat, images, smooth_mlp, theta
from tests.suite_test import assert_export_equals, eagerly
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.masks import CatfishMask
from tfmgaug.regularizers import (
    ChannelShuffle,
    EntropyTAML,
    GradDrop,
    InequalityTAML,
    LabelSmoothing,
    MetaMix,
    MRActivations,
    MRWeights,
    TrajectoryCoherence,
)

REGULARIZERS = {
    "ChannelShuffle": lambda: ChannelShuffle(0.7, 0.6, depths=[1]),
    "LabelSmoothing": lambda: LabelSmoothing(0.2),
    "EntropyTAML": lambda: EntropyTAML(0.3),
    "GradDrop": lambda: GradDrop(0.2, "gaussian", ramp_steps=2),
    "InequalityTAML": lambda: InequalityTAML("atkinson", 0.2, epsilon=0.7),
    "MetaMix": lambda: MetaMix((2.0, 3.0), depths=[1, 0]),
    "MRActivations": lambda: MRActivations(0.001, depth=1, initial_deviation=0.3),
    "MRWeights": lambda: MRWeights(1e-4, 0.02),
    "TrajectoryCoherence": lambda: TrajectoryCoherence(0.3),
}
LEARNERS = (ANIL, BOIL, FOMAML, MAML, ProtoNet)
REFUSED = {
    ("EntropyTAML", ProtoNet): "no inner steps",
    ("GradDrop", ProtoNet): "without inner steps",
    ("InequalityTAML", ProtoNet): "no inner steps",
    ("TrajectoryCoherence", ProtoNet): "without inner steps",
}


def compiled(kind, *regularizers, **options):
    backbone = smooth_mlp(way=None if kind is ProtoNet else 3, dtype="float32")
    steps = {} if kind is ProtoNet else {"inner_steps": 1, "inner_learning_rate": 0.1}
    learner = kind(backbone, regularizers=regularizers, **steps, **options)
    learner.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    return learner


def train(learner, steps):
    history = learner.fit(dataset(batch(), repeat=steps), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    return learner


@pytest.mark.parametrize("kind", LEARNERS)
@pytest.mark.parametrize("name", REGULARIZERS)
def test_it_trains_or_says_why_not(name, kind):
    if (name, kind) in REFUSED:
        with pytest.raises(ValueError, match=REFUSED[name, kind]):
            compiled(kind, REGULARIZERS[name]())
        return
    learner = compiled(kind, REGULARIZERS[name]())
    before = flat(theta(learner))
    train(learner, 1)
    assert np.mean(flat(theta(learner)) != before) > 0.9


@pytest.mark.parametrize("name", REGULARIZERS)
def test_training_that_went_through_a_file_ends_with_the_same_bits(name, tmp_path):
    whole = train(compiled(FOMAML, REGULARIZERS[name]()), 4)
    train(compiled(FOMAML, REGULARIZERS[name]()), 2).save(tmp_path / "half.keras")
    half = keras.models.load_model(tmp_path / "half.keras")
    (loaded,), (regularizer,) = half.regularizers, whole.regularizers
    assert type(loaded) is type(regularizer)
    assert loaded.get_config() == regularizer.get_config()
    half.run_eagerly = True
    train(half, 2)
    np.testing.assert_array_equal(flat(theta(half)), flat(theta(whole)))
    np.testing.assert_array_equal(flat(half.optimizer.variables), flat(whole.optimizer.variables))


def test_all_together_train_beside_mgaug_and_export_what_evaluation_predicts(tmp_path):
    learner = FOMAML(
        mlp(3, (16, 16, 1), hidden=(8,)),
        inner_steps=1,
        # MetaMix replaces the loss over the queries too.
        regularizers=[make() for name, make in REGULARIZERS.items() if name != "LabelSmoothing"],
        augmentation=MGAug(CatfishMask(0.1), subnetworks=1),
    )
    learner.compile(keras.optimizers.Adam(0.01))
    with eagerly():
        learner.fit(dataset(images(), repeat=2), verbose=0)
    assert_export_equals(learner, "support", tmp_path / "export")
