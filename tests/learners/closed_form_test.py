"""Closed-form heads in float32, against numpy in float64: wherever embeddings lie, at any scale."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers import active_set
from tests.helpers.tasks import smooth_mlp
from tfmgaug.heads import RidgeHead, SVMHead, interior_point
from tfmgaug.learners import MetaOptNet, ProtoNet

WAY, SHOT, FEATURES = 3, 2, 8
LABELS = np.tile(np.arange(WAY), SHOT)


def embeddings(scale=1.0, origin=0.0):
    """Support and queries on a grid on which `scale * (x + origin)` is exact in float32."""
    draws = np.random.default_rng(0)
    means = draws.integers(-512, 513, size=(WAY, FEATURES))
    support, query = (means[LABELS] + draws.integers(-512, 513, means[LABELS].shape) for _ in "sq")
    return [(scale * (x / 512 + origin)).astype("float32") for x in (support, query)]


def prototypes(support, query):
    means = np.stack([support[label == LABELS].mean(0) for label in range(WAY)])
    return -((query[:, None] - means) ** 2).sum(-1)


def cosines(support, query):
    means = np.stack([support[label == LABELS].mean(0) for label in range(WAY)])
    units = [x / np.sqrt((x * x).sum(1, keepdims=True)) for x in (query, means)]
    return 10 * units[0] @ units[1].T


def ridge(support, query):
    # One equation a feature, where the head has one for each example.
    normal = support.T @ support + 50 * np.eye(FEATURES)
    return query @ np.linalg.solve(normal, support.T @ np.eye(WAY)[LABELS])


def svm(support, query):
    kernel, hot = support @ support.T + np.eye(len(LABELS)), np.eye(WAY)[LABELS].T
    near = bounds_of(kernel.real.tobytes())
    return query @ support.T @ active_set.solve(kernel, hot, 0.1, near).T


@functools.cache
def bounds_of(kernel):
    """A solution that tells which bounds hold."""
    kernel, hot = np.frombuffer(kernel).reshape(len(LABELS), -1), np.eye(WAY)[LABELS].T
    return interior_point.solve(tf.constant(kernel), tf.constant(hot), 0.1).numpy()


HEADS = {
    "prototypes": (lambda: ProtoNet(smooth_mlp(way=None)), prototypes),
    "cosines": (lambda: ProtoNet(smooth_mlp(way=None), distance="cosine"), cosines),
    "ridge": (lambda: MetaOptNet(smooth_mlp(way=None), head=RidgeHead(50.0)), ridge),
    "svm": (lambda: MetaOptNet(smooth_mlp(way=None), head=SVMHead()), svm),
}
SCALES = [(1.0, 0.0), (2.0**-13, 0.0), (2.0**13, 0.0)]
# Far from the origin all cosines are close to one: there the question itself loses the digits.
CASES = [(head, *place) for head in HEADS for place in (*SCALES, (1.0, 2.0**12))]
CASES.remove(("cosines", 1.0, 2.0**12))


def fitted(head, support):
    """What reads out queries."""
    learner = HEADS[head][0]()
    state = learner.fit_head(tf.convert_to_tensor(support), tf.constant(LABELS), WAY)
    return lambda query: learner.read_out(tf.convert_to_tensor(query), state)


def logits(head, support, query):
    return fitted(head, support)(query)


def loss_by_numpy(head, support, query, upstream):
    return (upstream * HEADS[head][1](support, query)).sum()


@pytest.mark.parametrize(("head", "scale", "origin"), CASES)
def test_logits_are_those_of_float64(head, scale, origin):
    support, query = embeddings(scale, origin)
    found = logits(head, support, query).numpy().astype("float64")
    expected = HEADS[head][1](support.astype("float64"), query.astype("float64"))
    # The softmax sees what tells classes apart.
    spread = np.ptp(expected, axis=1).max()
    np.testing.assert_allclose(found, expected, atol=1e-6 * spread)


@pytest.mark.parametrize(("head", "scale", "origin"), CASES)
def test_gradients_are_those_of_float64(head, scale, origin):
    support, query = embeddings(scale, origin)
    draws = np.random.default_rng(1)
    upstream = draws.normal(size=(len(query), WAY)).astype("float32")
    upstream -= upstream.mean(1, keepdims=True)  # as those of a softmax add up to zero
    watched = [tf.constant(support), tf.constant(query)]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        value = tf.reduce_sum(upstream * logits(head, *watched))
    gradients = tape.gradient(value, watched)
    for number, gradient in enumerate(gradients):
        expected = np.zeros(gradient.shape)
        for place in np.ndindex(*gradient.shape):
            moved = [support.astype("complex128"), query.astype("complex128")]
            moved[number][place] += active_set.STEP * 1j
            expected[place] = loss_by_numpy(head, *moved, upstream).imag / active_set.STEP
        np.testing.assert_allclose(gradient, expected, atol=2e-6 * np.abs(expected).max())


@pytest.mark.parametrize("head", HEADS)
def test_a_query_alone_is_answered_as_in_a_batch(head):
    support, query = embeddings(origin=4.0)
    read_out = fitted(head, support)
    together = read_out(query).numpy()
    alone = np.concatenate([read_out(query[n : n + 1]) for n in range(len(query))])
    np.testing.assert_allclose(alone, together, atol=5e-7 * np.abs(together).max())


def test_prototypes_are_as_far_away_from_any_origin():
    near = logits("prototypes", *embeddings())
    far = logits("prototypes", *embeddings(origin=2.0**12))
    np.testing.assert_allclose(far, near, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-33, 1e-12, 1e12, 1e36])
def test_cosines_are_the_same_at_any_scale(scale):
    expected = logits("cosines", *embeddings())
    scaled = [(scale * x.astype("float64")).astype("float32") for x in embeddings()]
    np.testing.assert_allclose(logits("cosines", *scaled), expected, atol=1e-5)


def test_an_embedding_of_zero_has_a_cosine_and_a_gradient_of_zero():
    support, query = (tf.constant(x) for x in embeddings())
    query *= tf.constant([[0.0], [1], [1], [1], [1], [1]])
    with tf.GradientTape() as tape:
        tape.watch(query)
        found = logits("cosines", support, query)
        value = tf.reduce_sum(found**2)
    np.testing.assert_array_equal(found[0], 0)
    gradient = tape.gradient(value, query)
    np.testing.assert_array_equal(gradient[0], 0)
    assert np.abs(gradient[1:]).max() > 0
