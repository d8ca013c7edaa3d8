import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.inner_loop import connected, descend
from tfmgaug.learners import FOMAML

A, RATE, START, TARGET = 1.5, 0.1, 2.0, 0.5


def quadratic(weights, step):
    return tf.reduce_sum(A * weights[0] ** 2)


def number(value):
    return tf.constant(value, tf.float64)


def meta_gradient(steps, first_order):
    """The gradient in the start of `(w_S - TARGET)^2`, where w_S minimizes `A w^2`."""
    start = number(START)
    with tf.GradientTape() as tape:
        tape.watch(start)
        (end,), _ = descend(quadratic, [start], [RATE], steps, first_order)
        loss = (end - TARGET) ** 2
    return float(tape.gradient(loss, start)), float(end)


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_steps_on_a_quadratic_equal_the_closed_form(steps):
    (end,), _ = descend(quadratic, [number(START)], [RATE], steps)
    np.testing.assert_allclose(end, START * (1 - 2 * A * RATE) ** steps, rtol=1e-14)


def test_the_number_of_steps_may_be_a_tensor_of_one_graph():
    traces = []

    @tf.function
    def run(steps):
        traces.append(steps)
        return descend(quadratic, [number(START)], [RATE], steps)[0][0]

    ends = [float(run(tf.constant(steps))) for steps in range(4)]
    np.testing.assert_allclose(ends, START * 0.7 ** np.arange(4), rtol=1e-12)
    assert len(traces) == 1


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_second_order_meta_gradient_contracts_with_every_step(steps):
    gradient, end = meta_gradient(steps, first_order=False)
    contraction = (1 - 2 * A * RATE) ** steps
    np.testing.assert_allclose(end, contraction * START, rtol=1e-12)
    np.testing.assert_allclose(gradient, contraction * 2 * (end - TARGET), rtol=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_first_order_meta_gradient_does_not_contract(steps):
    gradient, end = meta_gradient(steps, first_order=True)
    np.testing.assert_allclose(gradient, 2 * (end - TARGET), rtol=1e-12)
    assert abs(gradient - meta_gradient(steps, first_order=False)[0]) > 0.1


def test_curvature_that_changes_along_the_way_is_followed():
    start = number(0.8)
    with tf.GradientTape() as tape:
        tape.watch(start)
        (end,), _ = descend(lambda w, step: w[0] ** 3, [start], [RATE], 2)
    first = 0.8 - RATE * 3 * 0.8**2
    by_hand = (1 - 6 * RATE * first) * (1 - 6 * RATE * 0.8)
    np.testing.assert_allclose(tape.gradient(end, start), by_hand, rtol=1e-12)


def test_a_rate_that_is_a_tensor_has_a_gradient():
    rates = number([0.1, 0.2])
    start = number([1.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(rates)
        (end,), _ = descend(quadratic, [start], [rates], 1)
        total = tf.reduce_sum(end)
    np.testing.assert_allclose(end, start * (1 - 2 * A * rates), rtol=1e-14)
    np.testing.assert_allclose(tape.gradient(total, rates), -2 * A * start, rtol=1e-14)


def test_every_weight_moves_by_its_own_rate():
    weights = [number([1.0]), number([1.0]), number([1.0])]
    ends, _ = descend(
        lambda w, step: tf.add_n([tf.reduce_sum(v**2) for v in w]), weights, [0, 0.1, 0.25], 1
    )
    np.testing.assert_allclose(ends, [[1.0], [0.8], [0.5]], rtol=1e-14)


def test_steps_one_by_one_equal_steps_at_once():
    weights = [number([1.0, -2.0])]
    at_once, _ = descend(lambda w, step: tf.reduce_sum(w[0] ** 4), weights, [0.01], 3)
    for _ in range(3):
        weights, _ = descend(lambda w, step: tf.reduce_sum(w[0] ** 4), weights, [0.01], 1)
    np.testing.assert_array_equal(weights, at_once)


def test_a_weight_without_influence_is_refused():
    with pytest.raises(ValueError, match="Expected every weight to influence the loss"):
        descend(quadratic, [number(1.0), number(2.0)], [RATE, RATE], 1)


def test_a_weight_is_named_or_numbered_and_never_called_by_its_shape():
    weights, rates = [number([1.0, 2.0]), number([3.0, 4.0])], [RATE, RATE]
    for names, expected in ((["gamma", "beta"], "gradient: beta"), (None, "gradient: number 1")):
        with pytest.raises(ValueError, match=expected):
            descend(quadratic, weights, rates, 1, names=names)
    backbone = keras.Sequential([keras.Input([2]), keras.layers.Dense(3, name="head")])
    learner = FOMAML(backbone, loss=Deaf(), inner_steps=1)
    with pytest.raises(
        ValueError, match=r"^Expected every.*gradient: \w*head_kernel, \w*head_bias"
    ):
        learner.adapt(np.ones([3, 2]), np.ones([3, 3]))


class Deaf(keras.losses.Loss):
    """No output has any influence on it."""

    classification = False

    def call(self, y_true, y_pred):
        return tf.reduce_sum(tf.stop_gradient(y_pred) - y_true, axis=-1)


def test_the_error_names_what_lacks_a_gradient():
    with pytest.raises(ValueError, match="without a gradient: gamma, beta"):
        connected([None, number(1.0), None], ["gamma", "kernel", "beta"])
    assert connected([1.0], ["kernel"]) == [1.0]


def test_integers_may_be_captured_and_nothing_is_warned_about(caplog):
    def loss(weights, step, exponent):
        return tf.reduce_sum(weights[0] ** tf.cast(exponent, tf.float64))

    start, three = number([0.8]), tf.constant(3)
    with tf.GradientTape() as tape:
        tape.watch(start)
        (end,), _ = descend(loss, [start], [number(RATE)], 1, recompute=True, captured=[three])
    np.testing.assert_allclose(tape.gradient(end, start), 1 - RATE * 6 * start, rtol=1e-12)
    assert not caplog.records


def test_a_weight_that_is_captured_too_gets_its_gradient_once():
    start = number([0.8])
    with tf.GradientTape() as tape:
        tape.watch(start)
        (end,), _ = descend(
            lambda w, step, own: tf.reduce_sum(own * w[0] ** 2),
            *([start], [number(RATE)], 1),
            recompute=True,
            captured=[start],
        )
    np.testing.assert_allclose(tape.gradient(end, start), 1 - RATE * 4 * start, rtol=1e-12)
