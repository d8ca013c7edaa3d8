import numpy as np
import tensorflow as tf

from tfmgaug import losses
from tfmgaug.losses import Mixed

LOGITS = np.random.default_rng(0).normal(size=(6, 3))
FIRST = np.array([0, 1, 2, 0, 1, 2], "int32")
SECOND = np.array([1, 1, 0, 2, 0, 2], "int32")


def one_hot(labels):
    return np.eye(3)[labels]


def test_mixed_labels_have_the_cross_entropy_to_the_mixed_distribution():
    found = losses.per_example(losses.get("cross_entropy"), Mixed(FIRST, SECOND, 0.3), LOGITS)
    target = 0.3 * one_hot(FIRST) + 0.7 * one_hot(SECOND)
    logarithms = LOGITS - np.log(np.exp(LOGITS).sum(1, keepdims=True))
    np.testing.assert_allclose(found, -(target * logarithms).sum(1), rtol=1e-6)


def test_labels_may_be_mixed_twice():
    twice = Mixed(Mixed(FIRST, SECOND, 0.5), FIRST, 0.4)
    once = Mixed(FIRST, SECOND, 0.8)
    loss = losses.get("cross_entropy")
    found, expected = (losses.per_example(loss, mixed, LOGITS) for mixed in (twice, once))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    found, expected = (losses.hits(mixed, tf.constant(LOGITS)) for mixed in (twice, once))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_mixed_labels_are_hit_by_their_shares():
    logits = tf.constant(10.0 * one_hot([0, 1, 0, 1, 1, 1]))
    found = losses.hits(Mixed(FIRST, SECOND, 0.3), logits)
    np.testing.assert_allclose(found, [0.3, 1.0, 0.7, 0.0, 0.3, 0.0], rtol=1e-6)


def test_values_are_mixed_before_they_are_measured():
    first, second, outputs = np.random.default_rng(1).normal(size=(3, 5, 2))
    loss = losses.get("mean_squared_error")
    found = losses.per_example(loss, Mixed(tf.constant(first), tf.constant(second), 0.25), outputs)
    np.testing.assert_allclose(found, ((0.25 * first + 0.75 * second - outputs) ** 2).mean(1))


def test_what_is_mixed_with_nothing_keeps_its_bits():
    logits, loss = tf.constant(LOGITS, tf.float32), losses.get("cross_entropy")
    plain = losses.per_example(loss, FIRST, logits)
    mixed = losses.per_example(loss, Mixed(FIRST, SECOND, tf.constant(1.0)), logits)
    np.testing.assert_array_equal(mixed, plain)
