"""Meta-gradients against central finite differences, in float64 and without kinks."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted, predicted
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import (
    batch,
    flat,
    images,
    regression,
    scatter,
    smooth_conv,
    smooth_mlp,
    task,
    theta,
)
from tfmgaug.backbones import mlp
from tfmgaug.engine.context import identity
from tfmgaug.learners import ANIL, BOIL, MAML, ProtoNet
from tfmgaug.masks import CatfishMask, ParameterMask, WidthMask
from tfmgaug.masks.mask import Subnetwork
from tfmgaug.randomness import key

STEP = 1e-5
MODES = ["transductive", "support", "running"]


def gradient_based(kind, **options):
    return functools.partial(kind, inner_steps=2, inner_learning_rate=0.3, **options)


LEARNERS = {
    "MAML": gradient_based(MAML),
    "MAML with a rate per layer": gradient_based(MAML, learn_inner_rates="layer"),
    "Meta-SGD": gradient_based(MAML, learn_inner_rates="parameter"),
    "ANIL": gradient_based(ANIL),
    "BOIL": gradient_based(BOIL, learn_inner_rates="layer"),
    "ProtoNet": ProtoNet,
    "ProtoNet, cosine": functools.partial(ProtoNet, distance="cosine"),
}


def build(name, backbone=smooth_mlp, **options):
    make = LEARNERS[name]
    embeds = name.startswith("ProtoNet")
    return scatter(make(backbone(way=None) if embeds else backbone(), **options))


def masked(learner, mask):
    mask.attach(learner.network, learner.classifier)
    weights = learner.network.params
    subnetwork = Subnetwork(tf.constant(0), tf.constant(0), mask.rate(0, key(0)), key(0))
    return functools.partial(mask, masks=mask.draw(weights, weights, subnetwork))


def assert_gradient_is_exact(learner, episode, prune=identity, directions=3):
    """Compares slopes along random directions, each variable on its own scale."""
    weights = theta(learner)
    gradients = task_gradient(learner, episode, weight_transform=prune).gradients
    draws = np.random.default_rng(1)
    for _ in range(directions):
        direction = {name: STEP * draws.normal(size=w.shape) for name, w in weights.items()}
        # Learned rates are float32, so that only what is left of a step after rounding counts.
        up = {name: w + tf.cast(direction[name], w.dtype) for name, w in weights.items()}
        down = {name: w - tf.cast(direction[name], w.dtype) for name, w in weights.items()}
        slope = sum(np.sum(g * (up[name] - down[name])) for name, g in gradients.items())
        difference = query_loss(learner, up, episode, prune)
        difference -= query_loss(learner, down, episode, prune)
        np.testing.assert_allclose(slope / STEP, difference / STEP, rtol=1e-5, atol=1e-6)
    assert gradients.keys() == weights.keys()
    assert all(np.abs(g).max() > 0 for g in gradients.values())


def query_loss(learner, weights, episode, prune):
    mode = "transductive" if learner.statistics == "running" else learner.statistics
    how = {"statistics": mode, "weight_transform": prune}
    with learner.scope(weights):
        state = adapted(learner, episode, **how)
        logits = predicted(learner, state, episode.query_x, **how)
        return float(learner.outcome(logits, episode.query_y).loss)


def assert_close(found, expected):
    assert list(found) == list(expected)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("statistics", MODES)
@pytest.mark.parametrize("name", LEARNERS)
def test_classification_meta_gradients_equal_finite_differences(name, statistics):
    assert_gradient_is_exact(build(name, statistics=statistics), task(batch()))


@pytest.mark.parametrize("mask", [WidthMask(0.4), ParameterMask(0.3), CatfishMask(0.3)])
@pytest.mark.parametrize("name", ["MAML", "ANIL", "BOIL", "ProtoNet", "ProtoNet, cosine"])
def test_masked_meta_gradients_equal_finite_differences(name, mask):
    learner = build(name, statistics="support")
    assert_gradient_is_exact(learner, task(batch()), masked(learner, mask), directions=2)


@pytest.mark.parametrize("statistics", MODES)
@pytest.mark.parametrize("name", ["MAML", "Meta-SGD", "ANIL", "BOIL"])
def test_regression_meta_gradients_equal_finite_differences(name, statistics):
    def backbone():
        return mlp(1, (1,), hidden=(5, 4), activation="tanh", dtype="float64")

    learner = build(name, backbone, loss="mean_squared_error", statistics=statistics)
    assert_gradient_is_exact(learner, task(regression()), directions=2)


@pytest.mark.parametrize("name", ["MAML", "ProtoNet"])
def test_meta_gradients_of_convolutions_equal_finite_differences(name):
    learner = build(name, smooth_conv, statistics="support")
    assert_gradient_is_exact(learner, task(images()), directions=2)


@pytest.mark.parametrize("name", ["MAML", "MAML with a rate per layer", "Meta-SGD", "ANIL", "BOIL"])
def test_inner_steps_that_run_again_give_the_same_meta_gradients(name):
    learner, frugal = build(name), build(name, recompute_inner_steps=True)
    graph = tf.function(frugal.meta_gradients, autograph=False)
    assert_close(graph(batch()), learner.meta_gradients(batch()))


@pytest.mark.parametrize("name", ["MAML", "ProtoNet"])
def test_eager_and_graph_agree(name):
    learner = build(name)
    graph = tf.function(learner.meta_gradients, autograph=False)
    assert_close(graph(batch()), learner.meta_gradients(batch()))


def test_fused_float32_gradients_equal_the_plain_float64_ones():
    plain = scatter(gradient_based(MAML)(smooth_conv()))
    fused = gradient_based(MAML)(smooth_conv(dtype="float32"))
    fused.backbone.set_weights(plain.backbone.get_weights())
    found = fused.meta_gradients(images())
    for name, expected in plain.meta_gradients(images()).items():
        np.testing.assert_allclose(found[name], expected, atol=2e-3 * np.abs(expected).max())
