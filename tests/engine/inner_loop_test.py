import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.engine.inner_loop import connected, descend
from tfmgaug.learners import FOMAML

A, RATE, START, TARGET = 1.5, 0.1, 2.0, 0.5


def quadratic(params, step, captured):
    return tf.reduce_sum(A * params["w"] ** 2)


def number(value):
    return tf.constant(value, tf.float64)


def descended(start, steps, loss=quadratic, rate=RATE, **options):
    """Where one weight ends."""
    return descend(loss, {"w": start}, {"w": rate}, steps, **options)[0]["w"]


def meta_gradient(steps, first_order):
    """The gradient in the start of `(w_S - TARGET)^2`, where w_S minimizes `A w^2`."""
    start = number(START)
    with tf.GradientTape() as tape:
        tape.watch(start)
        end = descended(start, steps, first_order=first_order)
        loss = (end - TARGET) ** 2
    return float(tape.gradient(loss, start)), float(end)


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_steps_on_a_quadratic_equal_the_closed_form(steps):
    end = descended(number(START), steps)
    np.testing.assert_allclose(end, START * (1 - 2 * A * RATE) ** steps, rtol=1e-14)


def test_the_number_of_steps_may_be_a_tensor_of_one_graph():
    traces = []

    @tf.function
    def run(steps):
        traces.append(steps)
        return descended(number(START), steps)

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
        end = descended(start, 2, lambda params, step, captured: params["w"] ** 3)
    first = 0.8 - RATE * 3 * 0.8**2
    by_hand = (1 - 6 * RATE * first) * (1 - 6 * RATE * 0.8)
    np.testing.assert_allclose(tape.gradient(end, start), by_hand, rtol=1e-12)


def test_a_rate_that_is_a_tensor_has_a_gradient():
    rates = number([0.1, 0.2])
    start = number([1.0, 3.0])
    with tf.GradientTape() as tape:
        tape.watch(rates)
        end = descended(start, 1, rate=rates)
        total = tf.reduce_sum(end)
    np.testing.assert_allclose(end, start * (1 - 2 * A * rates), rtol=1e-14)
    np.testing.assert_allclose(tape.gradient(total, rates), -2 * A * start, rtol=1e-14)


def test_every_weight_moves_by_its_own_rate():
    rates = {"third": 0.25, "first": 0, "second": 0.1}  # by name, in whatever order
    ends, _ = descend(
        lambda params, step, captured: tf.add_n([tf.reduce_sum(w**2) for w in params.values()]),
        {name: number([1.0]) for name in ("first", "second", "third")},
        rates,
        1,
    )
    assert list(ends) == ["first", "second", "third"]
    np.testing.assert_allclose(list(ends.values()), [[1.0], [0.8], [0.5]], rtol=1e-14)


def test_steps_one_by_one_equal_steps_at_once():
    def loss(params, step, captured):
        return tf.reduce_sum(params["w"] ** 4)

    weight = number([1.0, -2.0])
    at_once = descended(weight, 3, loss, rate=0.01)
    for _ in range(3):
        weight = descended(weight, 1, loss, rate=0.01)
    np.testing.assert_array_equal(weight, at_once)


def test_a_weight_without_influence_is_refused():
    with pytest.raises(ValueError, match="Expected every weight to influence the loss"):
        descend(quadratic, {"w": number(1.0), "v": number(2.0)}, {"w": RATE, "v": RATE}, 1)


def test_a_weight_without_influence_is_named():
    weights = {"w": number([1.0, 2.0]), "beta": number([3.0, 4.0])}
    with pytest.raises(ValueError, match="gradient: beta"):
        descend(quadratic, weights, {"w": RATE, "beta": RATE}, 1)
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
        connected({"gamma": None, "kernel": number(1.0), "beta": None})
    assert connected({"kernel": 1.0}) == {"kernel": 1.0}


def test_integers_may_be_captured_and_nothing_is_warned_about(caplog):
    def loss(params, step, captured):
        return tf.reduce_sum(params["w"] ** tf.cast(captured["exponent"], tf.float64))

    start, captured = number([0.8]), {"exponent": tf.constant(3)}
    with tf.GradientTape() as tape:
        tape.watch(start)
        end = descended(start, 1, loss, number(RATE), recompute=True, captured=captured)
    np.testing.assert_allclose(tape.gradient(end, start), 1 - RATE * 6 * start, rtol=1e-12)
    assert not caplog.records


def test_a_weight_that_is_captured_too_gets_its_gradient_once():
    start = number([0.8])
    with tf.GradientTape() as tape:
        tape.watch(start)
        end = descended(
            start,
            1,
            lambda params, step, captured: tf.reduce_sum(captured["w"] * params["w"] ** 2),
            number(RATE),
            recompute=True,
            captured={"w": start},
        )
    np.testing.assert_allclose(tape.gradient(end, start), 1 - RATE * 4 * start, rtol=1e-12)
