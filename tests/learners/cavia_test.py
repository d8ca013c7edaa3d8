import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted, predicted
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, flat, images, regression, scatter, smooth_mlp, task, theta
from tests.learners.gradients_test import assert_gradient_is_exact
from tfmgaug import MGAug
from tfmgaug.backbones import conv4, mlp
from tfmgaug.learners import CAVIA
from tfmgaug.masks import CatfishMask, ParameterMask, WidthMask
from tfmgaug.masks.mask import Subnetwork
from tfmgaug.randomness import key


def sine(**options):
    net = {"hidden": (5,), "normalization": False, "activation": "tanh", "dtype": "float64"}
    return scatter(
        CAVIA(mlp(1, (1,), context=2, **net), loss="mean_squared_error", **options), scale=0.1
    )


def classifier(**options):
    return scatter(CAVIA(smooth_mlp(context=3, normalization=False), **options))


def film(**options):
    net = {"activation": "tanh", "pooling": "average", "dtype": "float64"}
    return scatter(
        CAVIA(conv4(3, (16, 16, 1), 4, context=5, context_blocks=(2, 3), **net), **options)
    )


def test_the_inner_steps_are_those_of_the_paper_by_hand():
    pupil, episode = sine(inner_steps=3, inner_learning_rate=0.5), task(regression())
    kernel, bias, top, top_bias = (np.asarray(w) for w in theta(pupil).values())
    # Backbones take float32.
    x, query = (np.float32(part).astype(float) for part in (episode.support_x, episode.query_x))
    y, phi = episode.support_y.numpy(), np.zeros(2)
    for _ in range(3):
        hidden = np.tanh(np.hstack([x, np.tile(phi, (len(x), 1))]) @ kernel + bias)
        slope = 2 * (hidden @ top + top_bias - y) / len(x)  # of the mean squared error
        phi = phi - 0.5 * (((slope @ top.T) * (1 - hidden**2)) @ kernel[1:].T).sum(0)
    state = adapted(pupil, episode)
    (name,) = state
    assert name == "context_vector"
    np.testing.assert_allclose(state[name], phi, rtol=1e-10)
    hidden = np.tanh(np.hstack([query, np.tile(phi, (5, 1))]) @ kernel + bias)
    found = predicted(pupil, state, episode.query_x)
    np.testing.assert_allclose(found, hidden @ top + top_bias, rtol=1e-10)


@pytest.mark.parametrize("statistics", ["transductive", "support"])
def test_meta_gradients_equal_finite_differences(statistics):
    assert_gradient_is_exact(classifier(statistics=statistics), task(batch()), directions=2)


def test_meta_gradients_of_regression_and_through_film_equal_finite_differences():
    assert_gradient_is_exact(sine(), task(regression()), directions=2)
    assert_gradient_is_exact(film(), task(images()), directions=1)


def test_first_order_holds_the_context_constant():
    pupil, episode = classifier(first_order=True), task(batch())
    state = adapted(pupil, episode)
    weights = theta(pupil)
    with tf.GradientTape() as tape:
        tape.watch(weights)
        with pupil.scope(weights):
            logits = predicted(pupil, state, episode.query_x)
            loss = pupil.outcome(logits, episode.query_y).loss
    found = flat(task_gradient(pupil, episode).gradients)
    np.testing.assert_allclose(found, flat(tape.gradient(loss, weights)), rtol=1e-9, atol=1e-14)
    exact = flat(task_gradient(classifier(), episode, weights).gradients)
    assert np.abs(found - exact).max() > 1e-3


def test_the_context_is_neither_meta_learned_nor_pruned():
    pupil = classifier(augmentation=MGAug(ParameterMask(0.5), subnetworks=1))
    (context,) = pupil.contexts
    assert all(variable is not context for variable in pupil.meta_variables)
    assert len(pupil.meta_variables) == len(pupil.network.variables) - 1
    assert pupil.trainable_variables == pupil.meta_variables
    assert "context_vector" in pupil.network.variables
    assert "context_vector" not in pupil.augmentation.mask.prunable
    pupil.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = flat(theta(pupil))
    pupil.train_step(batch())
    np.testing.assert_array_equal(context, np.zeros(3))
    assert np.mean(flat(theta(pupil)) != before) > 0.9


@pytest.mark.parametrize("mask", [WidthMask(0.4), ParameterMask(0.3), CatfishMask(0.3)])
def test_masked_meta_gradients_equal_finite_differences(mask):
    learner, episode = classifier(), task(batch())
    mask.attach(learner.network, learner.classifier)
    scores, _ = learner.weight_gradient(theta(learner), episode)
    subnetwork = Subnetwork(tf.constant(0), tf.constant(0), mask.rate(0, key(0)), key(0))
    masks = mask.draw(learner.network.params, scores, subnetwork)
    assert sum(np.min(kept) == 0 for kept in masks.values()) >= 2
    prune = functools.partial(mask, masks=masks)
    assert_gradient_is_exact(learner, episode, prune, directions=2)


def test_each_task_is_clipped_before_the_mean():
    plain, clipped = classifier(), classifier(clip_task_gradients=0.05)
    data = batch(2)
    each = [flat(task_gradient(plain, task(data, n)).gradients) for n in range(2)]
    assert np.abs(each).max() > 0.06
    expected = np.mean(np.clip(each, -0.05, 0.05), 0)
    np.testing.assert_allclose(flat(clipped.meta_gradients(data)), expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clip_task_gradients": 0.0}, "`clip_task_gradients` must be positive"),
        ({"inner_steps": 0}, "`inner_steps` must be an int >= 1"),
        ({"augmentation": MGAug(CatfishMask(0.1, "meta_gradient"))}, "Use score='query_loss'"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        classifier(**options)


def test_a_backbone_without_a_context_is_refused():
    with pytest.raises(ValueError, match="build the backbone with one.*Received: 'mlp', which has"):
        CAVIA(smooth_mlp())
