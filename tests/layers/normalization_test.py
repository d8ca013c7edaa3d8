import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.layers import BatchNormalization
from tfmgaug.layers.normalization import normalizing

SHAPES = [(12, 3), (5, 4, 3), (4, 3, 3, 3), (3, 2, 3, 2, 3)]
VARIANTS = [{"scale": False}, {"center": False}, {"scale": False, "center": False}, {"axis": 1}]


def data(shape=(4, 3, 3, 3), seed=0):
    return np.random.default_rng(seed).normal(1.0, 2.0, shape)


def scattered(layer, shape, seed=1):
    """Builds a layer and gives it scale, offset and statistics unlike the defaults."""
    layer.build((None, *shape[1:]))
    draws = np.random.default_rng(seed)
    for variable in layer.weights:
        variable.assign(draws.uniform(0.5, 1.5, variable.shape))
    return layer


def penalty_gradient(layer, x):
    """The gradient in x of a weighted `|dL/dx|^2`, as a differentiated inner loop needs it.

    Without weights it would not notice what `keras.layers.BatchNormalization` leaves out, which is
    the same for every example, because `dL/dx` sums up to zero.
    """
    x = tf.constant(x, layer.compute_dtype)
    weights = [tf.convert_to_tensor(v) for v in layer.trainable_variables]
    statistics = [tf.convert_to_tensor(v) for v in layer.non_trainable_variables]
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y, _ = layer.stateless_call(weights, statistics, x, training=True)
            loss = tf.reduce_sum(tf.tanh(y) * tf.cast(data(x.shape, seed=2), y.dtype))
        penalty = tf.reduce_sum(data(x.shape, seed=3) * inner.gradient(loss, x) ** 2)
    return outer.gradient(penalty, x).numpy(), float(penalty)


def deviation(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("training", [True, False])
def test_outputs_equal_those_of_keras(shape, dtype, training):
    ours = scattered(BatchNormalization(dtype=dtype), shape)
    stock = scattered(keras.layers.BatchNormalization(dtype=dtype), shape)
    x = data(shape).astype(dtype)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    expected = stock(x, training=training)
    np.testing.assert_allclose(ours(x, training=training), expected, atol=tolerance)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_state_becomes_the_biased_statistics_of_the_batch(shape, dtype):
    layer = scattered(BatchNormalization(dtype=dtype), shape)
    x = data(shape)
    layer(x, training=True)
    axes = tuple(range(x.ndim - 1))
    np.testing.assert_allclose(layer.mean, x.mean(axes), rtol=1e-5)
    np.testing.assert_allclose(layer.variance, x.var(axes), rtol=1e-5)


def test_inference_leaves_the_state_alone():
    layer = scattered(BatchNormalization(), (12, 3))
    before = [keras.ops.convert_to_numpy(v) for v in layer.non_trainable_variables]
    layer(data((12, 3)), training=False)
    np.testing.assert_array_equal(
        [keras.ops.convert_to_numpy(v) for v in layer.non_trainable_variables], before
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_statistics_have_gradients(dtype):
    layer = scattered(BatchNormalization(dtype=dtype), (12, 3))
    x, direction = tf.constant(data((12, 3)), dtype), data((12, 3), seed=5)

    def measure(x):
        weights, statistics = layer.trainable_variables, layer.non_trainable_variables
        mean, variance = layer.stateless_call(weights, statistics, x, training=True)[1]
        return tf.reduce_sum(mean**2 * variance)

    with tf.GradientTape() as tape:
        tape.watch(x)
        value = measure(x)
    slope = np.sum(tape.gradient(value, x) * direction)
    step = 1e-2 if dtype == "float32" else 1e-5
    difference = (measure(x + step * direction) - measure(x - step * direction)) / (2 * step)
    np.testing.assert_allclose(slope, difference, rtol=1e-2 if dtype == "float32" else 1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_plain_second_order_gradients_equal_finite_differences(shape):
    layer = scattered(BatchNormalization(dtype="float64"), shape)
    x, direction = data(shape), data(shape, seed=5)
    up = penalty_gradient(layer, x + 1e-5 * direction)[1]
    down = penalty_gradient(layer, x - 1e-5 * direction)[1]
    slope = np.sum(penalty_gradient(layer, x)[0] * direction)
    np.testing.assert_allclose(slope, (up - down) / 2e-5, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_fused_second_order_gradients_equal_the_plain_ones(shape):
    plain = scattered(BatchNormalization(dtype="float64"), shape)
    fused = scattered(BatchNormalization(dtype="float32"), shape)
    expected, penalty = penalty_gradient(plain, data(shape))
    found, found_penalty = penalty_gradient(fused, data(shape))
    np.testing.assert_allclose(found_penalty, penalty, rtol=1e-4)
    assert deviation(found, expected) < 1e-4


@pytest.mark.parametrize("shape", SHAPES)
def test_stock_second_order_gradients_are_wrong(shape):
    plain = scattered(BatchNormalization(dtype="float64"), shape)
    stock = scattered(keras.layers.BatchNormalization(dtype="float64"), shape)
    expected, penalty = penalty_gradient(plain, data(shape))
    found, found_penalty = penalty_gradient(stock, data(shape))
    np.testing.assert_allclose(found_penalty, penalty, rtol=1e-10)  # first order is right
    assert deviation(found, expected) > 0.01


def test_bfloat16_keeps_parameters_and_statistics_in_float32():
    full = scattered(BatchNormalization(), (64, 4, 4, 3))
    half = scattered(BatchNormalization(dtype="mixed_bfloat16"), (64, 4, 4, 3))
    x = data((64, 4, 4, 3))
    y = half(x, training=True)
    assert y.dtype == tf.bfloat16
    assert {v.dtype for v in half.weights} == {"float32"}
    np.testing.assert_allclose(tf.cast(y, tf.float32), full(x, training=True), atol=0.05)
    np.testing.assert_allclose(half.variance, full.variance, rtol=0.01)


def test_configuration_goes_round():
    layer = BatchNormalization(epsilon=0.1, name="norm", dtype="float64")
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.get_config() == layer.get_config()
    assert copy.epsilon == 0.1
    older = {name: value for name, value in layer.get_config().items() if name != "axis"}
    assert BatchNormalization.from_config(older).axis == -1


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="`epsilon` must be positive"):
        BatchNormalization(epsilon=0.0)
    with pytest.raises(ValueError, match="expects inputs"):
        BatchNormalization()(tf.ones([2]))
    with pytest.raises(ValueError, match="another axis than the batch.*axis=-3"):
        BatchNormalization(axis=-3)(tf.ones([2, 3, 4]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("options", VARIANTS)
def test_without_scale_or_center_and_on_any_axis_it_equals_that_of_keras(options, dtype):
    x = data((4, 3, 5, 2)).astype(dtype)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    for training in (False, True):  # in training, their states become different ones
        kinds = (BatchNormalization, keras.layers.BatchNormalization)
        ours, stock = (scattered(kind(dtype=dtype, **options), x.shape) for kind in kinds)
        expected = stock(x, training=training)
        np.testing.assert_allclose(ours(x, training=training), expected, atol=tolerance)


@pytest.mark.parametrize("options", VARIANTS)
def test_its_variants_are_exact_at_second_order(options):
    layer = scattered(BatchNormalization(dtype="float64", **options), (4, 3, 5, 2))
    x, direction = data((4, 3, 5, 2)), data((4, 3, 5, 2), seed=5)
    up = penalty_gradient(layer, x + 1e-5 * direction)[1]
    down = penalty_gradient(layer, x - 1e-5 * direction)[1]
    slope = np.sum(penalty_gradient(layer, x)[0] * direction)
    np.testing.assert_allclose(slope, (up - down) / 2e-5, rtol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_which_statistics_it_uses_has_a_channel_of_its_own(training):
    layer, x = scattered(BatchNormalization(), (12, 3)), data((12, 3))
    for by_batch in (False, True):
        expected = layer(x, training=by_batch)
        layer = scattered(BatchNormalization(), (12, 3))
        with normalizing(by_batch):
            np.testing.assert_array_equal(layer(x, training=training), expected)
