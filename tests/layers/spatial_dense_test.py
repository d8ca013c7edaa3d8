import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.layers import SpatialDense


def head(seed=0):
    initializer = keras.initializers.GlorotUniform(seed=seed)
    layer = SpatialDense(5, size=(4, 3), kernel_initializer=initializer)
    layer.build((None, 4, 3, 2))
    layer.bias.assign(np.arange(5.0))
    return layer


def maps(height, width):
    return np.random.default_rng(0).normal(size=(2, height, width, 2)).astype("float32")


def test_full_maps_are_flattened_and_multiplied():
    layer, x = head(), maps(4, 3)
    dense = keras.layers.Dense(5)
    dense.build((None, 24))
    dense.set_weights([np.reshape(layer.kernel, (24, 5)), layer.bias])
    np.testing.assert_allclose(layer(x), dense(x.reshape(2, 24)), atol=1e-6)


def test_it_starts_as_a_dense_layer_would():
    dense = keras.layers.Dense(5, kernel_initializer=keras.initializers.GlorotUniform(seed=0))
    dense.build((None, 24))
    np.testing.assert_array_equal(np.reshape(head().kernel, (24, 5)), dense.kernel)


@pytest.mark.parametrize(("height", "width"), [(4, 2), (2, 3), (1, 1)])
def test_small_maps_use_the_kernel_at_their_own_positions(height, width):
    layer, x = head(), maps(height, width)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    expected = np.arange(5.0) + sum(
        x[:, row, column] @ kernel[row, column] for row in range(height) for column in range(width)
    )
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_small_maps_equal_large_ones_padded_with_zeros():
    layer, x = head(), maps(2, 2)
    padded = np.pad(x, ((0, 0), (0, 2), (0, 1), (0, 0)))
    np.testing.assert_allclose(layer(x), layer(padded), atol=1e-6)


@pytest.mark.parametrize("size", [(5, 3), (4, 4)])
def test_larger_maps_are_refused(size):
    with pytest.raises(ValueError, match=r"at most \(4, 3\)"):
        head()(maps(*size))


def test_configuration_goes_round():
    layer = head()
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    copy.set_weights(layer.get_weights())
    np.testing.assert_array_equal(copy(maps(4, 3)), layer(maps(4, 3)))
    assert copy.get_config() == layer.get_config()


def test_sizes_unknown_to_the_graph_are_cropped_when_it_runs():
    layer, x = head(), maps(2, 3)
    graph = tf.function(layer, input_signature=[tf.TensorSpec([None, None, None, 2])])
    np.testing.assert_allclose(graph(x), layer(x), atol=1e-6)
