import dataclasses
import functools

import keras
import numpy as np
import pytest

from tests.helpers.tasks import images, scatter, small_conv, smooth_conv, smooth_mlp, task, theta
from tfmgaug.backbones import resnet
from tfmgaug.engine.context import Context
from tfmgaug.engine.network import Network
from tfmgaug.layers import BatchNormalization
from tfmgaug.learners import MAML, ProtoNet
from tfmgaug.masks import WidthMask
from tfmgaug.masks.mask import at_rate

RATE, FILTERS, KEPT = 0.4, 5, 3


def pruned(learner, rate=RATE):
    mask = WidthMask(rate)
    mask.attach(learner.network, learner.classifier)
    masks = mask.draw(theta(learner), None, at_rate(rate))
    return functools.partial(mask, masks=masks)


def cut(weights, like):
    """The leading part of each weight that the smaller network has."""
    return {name: weights[name][tuple(map(slice, v.shape))] for name, v in like.items()}


def network_and_its_cut(make, **options):
    """A learner, and one with fewer filters that starts with a part of its weights."""
    learner, smaller = (make(filters) for filters in (FILTERS, KEPT))
    scatter(learner)
    variables = smaller.named(smaller.meta_variables)
    for name, part in cut(theta(learner), variables).items():
        variables[name].assign(part)
    return learner, smaller


def maml(filters):
    return MAML(smooth_conv(filters=filters), inner_steps=2, inner_learning_rate=0.5)


def residual(filters):
    """One group without and one with a convolution in its shortcut."""
    options = {"activation": "tanh", "pooling": "average", "dtype": "float64"}
    backbone = resnet(3, (16, 16, 1), (1, 1), (filters, 2 * filters), **options)
    return MAML(backbone, inner_steps=2, inner_learning_rate=0.5)


def protonet(filters):
    return ProtoNet(smooth_conv(way=None, filters=filters), statistics="support")


@pytest.mark.parametrize("make", [maml, residual, protonet])
def test_the_masked_network_equals_the_network_physically_cut(make):
    learner, smaller = network_and_its_cut(make)
    x = np.asarray(task(images()).query_x)
    whole, _ = learner.network(theta(learner), x, Context(pruned(learner), training=True))
    part, _ = smaller.network(theta(smaller), x, Context(training=True))
    if learner.classifier is None:
        embeddings = np.reshape(whole, (len(x), FILTERS))
        np.testing.assert_array_equal(embeddings[:, KEPT:], 0)
        whole = embeddings[:, :KEPT]
    np.testing.assert_allclose(whole, part, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [maml, residual, protonet])
def test_meta_gradients_equal_those_of_the_cut_network_and_vanish_outside(make):
    learner, smaller = network_and_its_cut(make)
    episode = task(images())
    context = learner.training_context(episode)
    masked = dataclasses.replace(context, weight_transform=pruned(learner))
    whole = learner.task_gradient(theta(learner), episode, masked)
    expected = smaller.task_gradient(theta(smaller), episode, context)
    np.testing.assert_allclose(whole.outcome.loss, expected.outcome.loss, rtol=1e-10)
    assert whole.gradients.keys() == expected.gradients.keys()
    for name, part in cut(whole.gradients, expected.gradients).items():
        wanted = expected.gradients[name]
        np.testing.assert_allclose(part, wanted, rtol=1e-6, atol=1e-9)
        outside = np.sum(np.abs(whole.gradients[name])) - np.sum(np.abs(part))
        np.testing.assert_allclose(outside, 0, atol=1e-12)
        assert np.abs(wanted).max() > 1e-6


def test_normalization_and_biases_go_with_their_channels():
    kinds = ("conv{}_kernel", "norm{}_gamma", "norm{}_beta")
    assert prunable(small_conv()) == [kind.format(n) for n in (1, 2, 3, 4) for kind in kinds]
    dense = [f"dense{n}_{weight}" for n in (1, 2) for weight in ("kernel", "bias")]
    assert prunable(smooth_mlp(normalization=False)) == dense


def prunable(backbone):
    mask = WidthMask()
    mask.attach(Network(backbone), backbone.layers[-1])
    return mask.prunable


def test_shortcuts_go_with_the_channels_that_they_are_added_to():
    backbone = resnet(None, (16, 16, 1), (1, 1), (4, 8))
    mask = WidthMask()
    mask.attach(Network(backbone))
    assert mask.prunable == list(Network(backbone).variables)
    backbone = resnet(3, (16, 16, 1), (1, 1), (4, 8))
    kept = set(Network(backbone).variables) - set(prunable(backbone))
    assert kept == {"head_kernel", "head_bias"}


def test_normalization_behind_a_sum_of_normalized_channels_goes_with_them():
    inputs = keras.Input([4])
    parts = [BatchNormalization()(keras.layers.Dense(5)(inputs)) for _ in range(2)]
    x = BatchNormalization(name="behind")(keras.layers.Add()(parts))
    backbone = keras.Model(inputs, keras.layers.Dense(3)(x))
    assert {"behind_gamma", "behind_beta"} <= set(prunable(backbone))


def test_normalization_of_flattened_channels_is_refused():
    backbone = keras.Sequential(
        [
            keras.Input([4, 4, 1]),
            keras.layers.Conv2D(5, 3, name="before"),
            keras.layers.Flatten(),
            BatchNormalization(name="behind"),
            keras.layers.Dense(3),
        ]
    )
    with pytest.raises(ValueError, match="'behind' with 20 channels behind 'before' with 5"):
        WidthMask().attach(Network(backbone), backbone.layers[-1])


def test_the_first_channels_stay():
    learner = MAML(small_conv(filters=8))
    weights = theta(learner)
    kernel, masked = weights["conv1_kernel"], pruned(learner)(weights)
    np.testing.assert_array_equal(masked["conv1_kernel"][..., :5], kernel[..., :5])
    np.testing.assert_array_equal(masked["conv1_kernel"][..., 5:], 0)
    gamma = weights["norm1_gamma"] * [1, 1, 1, 1, 1, 0, 0, 0]
    np.testing.assert_array_equal(masked["norm1_gamma"], gamma)
    assert masked["head_bias"] is weights["head_bias"]


def test_activations_that_send_a_constant_are_refused():
    backbone = keras.Sequential(
        [
            keras.Input([4]),
            keras.layers.Dense(5, activation="softplus", name="soft"),
            keras.layers.Dense(3),
        ]
    )
    with pytest.raises(ValueError, match=r"'soft' with f\(0\) = 0.693"):
        WidthMask().attach(Network(backbone), backbone.layers[-1])


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "elu", "swish"])
def test_activations_that_keep_zero_are_taken(activation):
    backbone = small_conv()
    backbone.get_layer("stage1").activation = keras.activations.get(activation)
    WidthMask().attach(Network(backbone), backbone.layers[-1])
