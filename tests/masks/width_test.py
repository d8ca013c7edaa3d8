import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import images, scatter, small_conv, smooth_conv, smooth_mlp, task, theta
from tfmgaug.backbones import resnet
from tfmgaug.layers import BatchNormalization
from tfmgaug.learners import MAML, ProtoNet
from tfmgaug.masks import WidthMask
from tfmgaug.randomness import key

RATE, FILTERS, KEPT = 0.4, 5, 3


def pruned(learner, rate=RATE):
    mask = WidthMask(rate)
    mask.attach(learner.backbone, learner.classifier)
    masks = mask.draw(theta(learner), None, tf.constant(rate, tf.float64), key(0))
    return functools.partial(mask, masks=masks)


def cut(weights, like):
    """The leading part of each weight that the smaller network has."""
    return [w[tuple(map(slice, v.shape))] for w, v in zip(weights, like)]


def network_and_its_cut(make, **options):
    """A learner, and one with fewer filters that starts with a part of its weights."""
    learner, smaller = (make(filters) for filters in (FILTERS, KEPT))
    scatter(learner)
    for variable, part in zip(smaller.meta_variables, cut(theta(learner), smaller.meta_variables)):
        variable.assign(part)
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
    whole, _ = learner.forward(theta(learner), x, pruned(learner))
    part, _ = smaller.forward(theta(smaller), x)
    if learner.classifier is None:
        embeddings = np.reshape(whole, (len(x), FILTERS))
        np.testing.assert_array_equal(embeddings[:, KEPT:], 0)
        whole = embeddings[:, :KEPT]
    np.testing.assert_allclose(whole, part, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("make", [maml, residual, protonet])
def test_meta_gradients_equal_those_of_the_cut_network_and_vanish_outside(make):
    learner, smaller = network_and_its_cut(make)
    gradients, outcome, _ = learner.meta_gradient(theta(learner), task(images()), pruned(learner))
    expected, expected_outcome, _ = smaller.meta_gradient(theta(smaller), task(images()))
    np.testing.assert_allclose(outcome.loss, expected_outcome.loss, rtol=1e-10)
    for found, part, wanted in zip(gradients, cut(gradients, expected), expected):
        np.testing.assert_allclose(part, wanted, rtol=1e-6, atol=1e-9)
        outside = np.sum(np.abs(found)) - np.sum(np.abs(part))
        np.testing.assert_allclose(outside, 0, atol=1e-12)
    assert all(np.abs(wanted).max() > 1e-6 for wanted in expected)


def test_normalization_and_biases_go_with_their_channels():
    names = prunable_names(small_conv())
    assert names == [f"{k}{n}" for n in (1, 2, 3, 4) for k in ("conv", "norm", "norm")]
    assert prunable_names(smooth_mlp(normalization=False)) == ["dense1"] * 2 + ["dense2"] * 2


def prunable_names(backbone):
    return [path.split("/")[0] for path in prunable_paths(backbone)]


def prunable_paths(backbone):
    mask = WidthMask()
    mask.attach(backbone, backbone.layers[-1])
    return [v.path for v, p in zip(backbone.trainable_variables, mask.prunable) if p]


def test_shortcuts_go_with_the_channels_that_they_are_added_to():
    backbone = resnet(None, (16, 16, 1), (1, 1), (4, 8))
    mask = WidthMask()
    mask.attach(backbone)
    assert all(mask.prunable)
    backbone = resnet(3, (16, 16, 1), (1, 1), (4, 8))
    kept = {v.path for v in backbone.trainable_variables} - set(prunable_paths(backbone))
    assert kept == {"head/kernel", "head/bias"}


def test_normalization_behind_a_sum_of_normalized_channels_goes_with_them():
    inputs = keras.Input([4])
    parts = [BatchNormalization()(keras.layers.Dense(5)(inputs)) for _ in range(2)]
    x = BatchNormalization(name="behind")(keras.layers.Add()(parts))
    backbone = keras.Model(inputs, keras.layers.Dense(3)(x))
    assert {"behind/gamma", "behind/beta"} <= set(prunable_paths(backbone))


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
        WidthMask().attach(backbone, backbone.layers[-1])


def test_the_first_channels_stay():
    learner = MAML(small_conv(filters=8))
    weights = theta(learner)
    kernel, gamma = weights[:2]
    masked = pruned(learner)(weights)
    np.testing.assert_array_equal(masked[0][..., :5], kernel[..., :5])
    np.testing.assert_array_equal(masked[0][..., 5:], 0)
    np.testing.assert_array_equal(masked[1], gamma * [1, 1, 1, 1, 1, 0, 0, 0])
    assert masked[-1] is weights[-1]


def test_activations_that_send_a_constant_are_refused():
    backbone = keras.Sequential(
        [
            keras.Input([4]),
            keras.layers.Dense(5, activation="softplus", name="soft"),
            keras.layers.Dense(3),
        ]
    )
    with pytest.raises(ValueError, match=r"'soft' with f\(0\) = 0.693"):
        WidthMask().attach(backbone, backbone.layers[-1])


@pytest.mark.parametrize("activation", ["relu", "gelu", "tanh", "elu", "swish"])
def test_activations_that_keep_zero_are_taken(activation):
    backbone = small_conv()
    backbone.get_layer("stage1").activation = keras.activations.get(activation)
    WidthMask().attach(backbone, backbone.layers[-1])
