"""Conv-4 as supervised-reptile has it on mini-ImageNet: padded pooling, then normalization."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.numpy_layers import number_of_weights
from tests.helpers.tasks import batch, scatter
from tfmgaug.analysis import check_gradients
from tfmgaug.backbones import conv4, stages
from tfmgaug.learners import MAML
from tfmgaug.masks import cut

REPTILE = {"pool_padding": "same", "pool_first": True}


def published_weights(way, filters, side):
    """The number of weights of supervised_reptile/models.py, layer by layer."""
    convolutions = (3 * 3 * 3 + 1) * filters + 3 * (3 * 3 * filters + 1) * filters
    for _ in range(4):
        side = (side + 1) // 2
    return convolutions + 4 * 2 * filters + (side * side * filters + 1) * way


@pytest.mark.parametrize("filters", [32, 64])
def test_its_shapes_and_its_number_of_weights_are_those_of_the_published_code(filters):
    model = conv4(5, (84, 84, 3), filters, **REPTILE)
    assert model.get_layer("head").kernel.shape == (6, 6, filters, 5)
    x, sides = np.zeros((1, 84, 84, 3)), []
    for stage in stages(model)[:4]:
        x = stage(x)
        sides.append(x.shape[1])
    assert sides == [42, 21, 11, 6]
    biases = 4 * filters  # which normalization cancels
    assert number_of_weights(model) + biases == published_weights(5, filters, 84)


def published(model, x, biases):
    """The blocks of the published code, by TensorFlow's own operations."""
    weights = [tf.constant(w) for w in model.trainable_variables]
    x = (x - 127.5) / 127.5
    for block in range(4):
        kernel, gamma, beta = weights[3 * block : 3 * block + 3]
        x = tf.nn.conv2d(x, kernel, 1, "SAME") + biases[block]
        x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        x = tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3))
    kernel, bias = weights[-2:]
    flat = tf.reshape(x, [len(x), -1])
    return flat @ tf.reshape(kernel, [flat.shape[1], -1]) + bias


@pytest.mark.parametrize("size", [16, 21, 28])
def test_its_outputs_are_those_of_the_published_code_whatever_the_biases(size):
    model = conv4(3, (size, size, 1), 4, dtype="float64", **REPTILE)
    draws = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(variable + draws.normal(0, 0.3, variable.shape))
    x = draws.uniform(0, 255, (5, size, size, 1)).astype("float32")
    expected = published(model, x.astype("float64"), draws.normal(size=(4, 4)))
    np.testing.assert_allclose(model(x, training=True), expected, rtol=1e-5)


NETWORKS = [
    {"pooling": "average", **REPTILE},
    {"pooling": "average", "pool_padding": "same"},
    {"pooling": "max", **REPTILE},
    {"pooling": "max", "pool_padding": "same"},
]


@pytest.mark.parametrize("options", NETWORKS, ids=str)
def test_meta_gradients_are_exact_at_second_order(options):
    model = conv4(3, (19, 19, 1), 3, activation="tanh", dtype="float64", **options)
    learner = scatter(MAML(model, inner_steps=2, inner_learning_rate=0.3))
    steps = (1e-5,) if options["pooling"] == "average" else (1e-7, 1e-8)  # which miss the kinks
    checked = check_gradients(learner, batch(1, (19, 19, 1)), directions=2, steps=steps)
    assert checked.second_order
    assert checked.passed, str(checked)


def test_a_padded_network_takes_smaller_images_and_can_be_cut():
    model = conv4(3, (28, 28, 1), 4, **REPTILE)
    assert model(np.zeros((2, 17, 17, 1))).shape == (2, 3)
    smaller = cut(model, 0.5)
    assert smaller.get_layer("conv4").filters == 2
    assert smaller(np.zeros((2, 28, 28, 1))).shape == (2, 3)


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_pooling_without_padding_is_what_it_was(pooling):
    plain, given = (
        conv4(3, (21, 21, 1), 2, pooling=pooling, **options)
        for options in ({}, {"pool_padding": "valid", "pool_first": False})
    )
    x = np.random.default_rng(0).uniform(0, 255, (4, 21, 21, 1))
    np.testing.assert_array_equal(plain(x, training=True), given(x, training=True))
    assert plain.get_layer("head").kernel.shape == (1, 1, 2, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool_padding": "full"}, "must be 'valid' or 'same'. Received: 'full'"),
        ({"pooling": "strided", "pool_padding": "same"}, "leave nothing to pool"),
        ({"pooling": "strided", "pool_first": True}, "leave nothing to pool"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        conv4(3, (28, 28, 1), **options)
