"""The examples of the documentation, which a newcomer copies."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from examples.channel_mask import ChannelMask
from examples.confidence_penalty import ConfidencePenalty
from examples.matching_networks import MatchingNetworks
from examples.sign_descent import SignDescent
from tests.helpers.tasks import batch, dataset, images, scatter, small_conv, smooth_mlp, task
from tfmgaug import MGAug
from tfmgaug.engine.batch import subnetworks_of
from tfmgaug.learners import FOMAML, ProtoNet
from tfmgaug.regularizers import GradDrop

EXAMPLES = sorted((pathlib.Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_at_most_forty_lines(path):
    assert len(path.read_text().splitlines()) <= 40


def test_matching_networks_attend_to_the_support_set():
    learner = MatchingNetworks(smooth_mlp(None, normalization=False), sharpness=3.0)
    inputs, _ = batch(1)
    x, y, query = (inputs[name][0] for name in ("support_x", "support_y", "query_x"))
    embed = lambda x: learner.backbone(tf.cast(x, tf.float64)).numpy()  # noqa: E731
    unit = lambda v: v / np.linalg.norm(v, axis=-1, keepdims=True)  # noqa: E731
    weights = np.exp(3.0 * unit(embed(query)) @ unit(embed(x)).T)
    attention = weights / weights.sum(-1, keepdims=True)
    predicted = learner.adapt(x, y).predict(query)
    np.testing.assert_allclose(predicted, attention @ np.eye(3)[y], rtol=1e-6, atol=1e-6)


def test_matching_networks_train_and_are_saved(tmp_path):
    learner = MatchingNetworks(small_conv(way=None), augmentation=MGAug(ChannelMask(0.5)))
    learner.compile(keras.optimizers.Adam(0.01))
    losses = learner.fit(dataset(images()), epochs=8, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]
    learner.save(tmp_path / "learner.keras")
    again = keras.saving.load_model(tmp_path / "learner.keras")
    inputs, _ = images(1)
    x, y, query = (inputs[name][0] for name in ("support_x", "support_y", "query_x"))
    expected = learner.adapt(x, y).predict(query)
    np.testing.assert_array_equal(again.adapt(x, y).predict(query), expected)


def test_sign_descent_takes_steps_of_one_length():
    learner = SignDescent(smooth_mlp(normalization=False), inner_steps=3, inner_rate=0.01)
    inputs, _ = batch(1)
    adapted = learner.adapted_state(inputs["support_x"][0], inputs["support_y"][0])
    moves = [adapted[name] - start for name, start in learner.network.params.items()]
    lengths = np.abs(np.concatenate([move.numpy().ravel() for move in moves]))
    assert set(np.round(lengths / 0.01, 3)) == {1.0, 3.0}  # an odd number of steps never cancels


@pytest.mark.parametrize("statistics", ["transductive", "support", "running", "one_by_one"])
def test_sign_descent_trains_with_masks_and_regularizers_and_is_saved(tmp_path, statistics):
    learner = SignDescent(
        small_conv(),
        inner_rate=0.01,
        statistics=statistics,
        augmentation=MGAug(ChannelMask(0.5)),
        regularizers=[GradDrop(0.1)],
    )
    learner.compile(keras.optimizers.Adam(0.01))
    losses = learner.fit(dataset(images()), epochs=8, verbose=0, shuffle=False).history["loss"]
    assert losses[-1] < losses[0]
    learner.save(tmp_path / "learner.keras")
    again = keras.saving.load_model(tmp_path / "learner.keras")
    inputs, _ = images(1)
    x, y, query = (inputs[name][0] for name in ("support_x", "support_y", "query_x"))
    expected = learner.adapt(x, y).predict(query)
    np.testing.assert_array_equal(again.adapt(x, y).predict(query), expected)


def test_channel_masks_prune_whole_channels_and_differ_between_subnetworks():
    learner = FOMAML(small_conv(), augmentation=MGAug(ChannelMask(0.5), subnetworks=8))
    pruned = [
        context.weight_transform(learner.network.params)
        for _, context in subnetworks_of(learner, learner.meta_params, task(images(1)))
    ]
    name = learner.augmentation.mask.prunable[0]
    channels = [np.abs(weights[name].numpy()).max(axis=(0, 1, 2)) > 0 for weights in pruned]
    rows = [np.abs(weights[name].numpy()).min(axis=(0, 1, 2)) > 0 for weights in pruned]
    np.testing.assert_array_equal(channels, rows)
    assert len({tuple(kept) for kept in channels}) > 1


def test_the_confidence_penalty_adds_its_own_gradient():
    plain = scatter(ProtoNet(smooth_mlp(way=None)))
    penalized = scatter(ProtoNet(smooth_mlp(way=None), regularizers=[ConfidencePenalty(0.5)]))
    data = batch(1)
    inputs, _ = data

    def entropy():
        adapted = plain.adapt(inputs["support_x"][0], inputs["support_y"][0])
        p = adapted.predict(inputs["query_x"][0]).astype("float64")
        return -(p * np.log(p)).sum(-1).mean()

    before, after = plain.meta_gradients(data), penalized.meta_gradients(data)
    name, variable = next(iter(plain.network.variables.items()))
    value, step = variable.numpy(), 1e-3
    move = np.random.default_rng(0).normal(size=value.shape)
    ends = []
    for sign in (1, -1):
        variable.assign(value + sign * step * move)
        ends.append(entropy())
    slope = (ends[0] - ends[1]) / (2 * step)
    added = np.sum((after[name] - before[name]).numpy() * move)
    np.testing.assert_allclose(added, -0.5 * slope, rtol=1e-3)
