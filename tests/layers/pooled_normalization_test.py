import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.layers import BatchNormalization, PooledBatchNormalization
from tfmgaug.layers.pooled_moments import pooled_moments

SHAPES = [(4, 6, 6, 3), (3, 5, 7, 2)]  # and one whose last row and column no window has
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}


def images(shape=(4, 6, 6, 3), seed=0, dtype="float64"):
    return np.random.default_rng(seed).normal(1.0, 2.0, shape).astype(dtype)


def layer(fused, channels, dtype="float64", padding="valid"):
    """A layer with positive and negative gammas: pooling then picks the lowest entry."""
    made = PooledBatchNormalization(fused, padding, dtype=dtype)
    made.build((None, None, None, channels))
    made.gamma.assign(np.linspace(-1.5, 1.0, channels))
    made.beta.assign(np.linspace(0.3, -0.2, channels))
    return made


def run(layer, x, dtype):
    """Output, statistics, first gradients, and the gradient of a penalty on these."""
    x = tf.cast(x, dtype)
    weights = [tf.convert_to_tensor(v) for v in layer.trainable_variables]
    statistics = [tf.convert_to_tensor(v) for v in layer.non_trainable_variables]
    with tf.GradientTape() as outer:
        outer.watch([x, *weights])
        with tf.GradientTape() as inner:
            inner.watch([x, *weights])
            y, new = layer.stateless_call(weights, statistics, x, training=True)
            loss = tf.reduce_sum(tf.tanh(y) * images(y.shape, 2, dtype))
            loss += tf.reduce_sum(new[0] ** 3 * new[1])
        first = inner.gradient(loss, [x, *weights])
        penalty = sum(tf.reduce_sum(images(g.shape, 3, dtype) * g**2) for g in first)
    return [y, *new], first, outer.gradient(penalty, [x, *weights])


def assert_equal(found, expected, tolerance):
    for one, other in zip(tf.nest.flatten(found), tf.nest.flatten(expected)):
        scale = np.linalg.norm(other) + 1e-12
        assert np.linalg.norm(one - other) / scale < tolerance


@pytest.mark.parametrize(
    ("shape", "dtype", "padding"), [*itertools.product(SHAPES, TOLERANCE, ("valid", "same"))]
)
def test_the_fused_form_equals_the_plain_one_to_second_order(shape, dtype, padding):
    fused, plain = (layer(kind, shape[-1], dtype, padding) for kind in (True, False))
    x = images(shape)
    assert_equal(
        tf.function(run)(fused, x, dtype), tf.function(run)(plain, x, dtype), TOLERANCE[dtype]
    )


def test_eager_and_graph_mode_agree():
    fused = layer(True, 3)
    x = images()
    assert_equal(run(fused, x, "float64"), tf.function(run)(fused, x, "float64"), 1e-12)


@pytest.mark.parametrize(("shape", "padding"), [((4, 6, 6, 3), "valid"), ((4, 5, 7, 3), "same")])
def test_the_gradient_equals_finite_differences(shape, padding):
    fused, step = layer(True, 3, padding=padding), 1e-6
    x, direction = images(shape), images(shape, seed=5)

    def loss(x):
        y = fused(tf.constant(x), training=True)
        return float(tf.reduce_sum(tf.tanh(y) * images(y.shape, 2)) + tf.reduce_sum(fused.mean**3))

    with tf.GradientTape() as tape:
        inputs = tf.constant(x)
        tape.watch(inputs)
        weights = [tf.convert_to_tensor(v) for v in fused.trainable_variables]
        y, new = fused.stateless_call(weights, fused.non_trainable_variables, inputs, training=True)
        value = tf.reduce_sum(tf.tanh(y) * images(y.shape, 2)) + tf.reduce_sum(new[0] ** 3)
    slope = np.sum(tape.gradient(value, inputs) * direction)
    difference = (loss(x + step * direction) - loss(x - step * direction)) / (2 * step)
    assert abs(slope - difference) < 1e-7 * abs(difference)


@pytest.mark.parametrize(("size", "padding"), [(4, "VALID"), (3, "SAME")])
def test_of_equal_entries_the_first_gets_the_gradient_as_in_max_pooling(size, padding):
    draws = np.random.default_rng(0).integers(0, 2, (8, size, size, 3))
    x, weights = tf.constant(draws.astype("float32")), images((8, 2, 2, 3), dtype="float32")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        ours = pooled_moments(x, tf.ones([3]), padding == "SAME")[0] * weights
        stock = tf.nn.max_pool2d(x, 2, 2, padding) * weights
    np.testing.assert_array_equal(tape.gradient(ours, x), tape.gradient(stock, x))


def test_inference_normalizes_and_pools():
    pooled, plain = layer(True, 3), BatchNormalization(dtype="float64")
    plain.build((None, None, None, 3))
    for own, other in zip(plain.weights, pooled.weights):
        own.assign(other)
    x = images()
    np.testing.assert_array_equal(pooled(x), tf.nn.max_pool2d(plain(x), 2, 2, "VALID"))


def test_an_unknown_number_of_images_takes_the_plain_form():
    fused = layer(True, 3)
    unknown = tf.function(lambda x: fused(x, training=True))
    found = unknown.get_concrete_function(tf.TensorSpec([None, 6, 6, 3], tf.float64))
    np.testing.assert_allclose(found(tf.constant(images())), fused(images(), training=True))


def test_bfloat16_keeps_statistics_in_float32():
    policy = keras.DTypePolicy("mixed_bfloat16")
    fused, plain = layer(True, 3, policy), layer(True, 3, "float32")
    x = tf.cast(images(), tf.bfloat16)
    y = fused(x, training=True)
    assert y.dtype == tf.bfloat16
    exact = plain(tf.cast(x, tf.float32), training=True)
    np.testing.assert_allclose(tf.cast(y, tf.float32), exact, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(fused.variance, plain.variance, rtol=1e-6)


def test_inputs_that_are_no_images_are_refused():
    with pytest.raises(ValueError, match=r"expects inputs \[batch, height, width, channels\]"):
        PooledBatchNormalization()(np.ones((4, 3)))


def test_other_paddings_are_refused():
    with pytest.raises(ValueError, match="must be 'valid' or 'same'. Received: 'full'"):
        PooledBatchNormalization(padding="full")


@pytest.mark.parametrize(("padding", "left"), [("valid", (2, 3)), ("same", (3, 4))])
def test_its_shape_is_told_without_images(padding, left):
    made = PooledBatchNormalization(padding=padding)
    assert made.compute_output_shape((None, 5, 7, 2)) == (None, *left, 2)
    assert made.compute_output_shape((4, None, None, 2)) == (4, None, None, 2)
    assert made(images((3, 5, 7, 2))).shape == (3, *left, 2)


def test_it_is_saved_with_its_options(tmp_path):
    model = keras.Sequential([keras.Input((7, 7, 3)), PooledBatchNormalization(False, "same")])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert (loaded.layers[0].fused, loaded.layers[0].padding) == (False, "same")
    x = images((4, 7, 7, 3))
    np.testing.assert_array_equal(model(x), loaded(x))
