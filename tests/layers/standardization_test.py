import keras
import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.layers import Standardization


def test_raw_images_become_standardized_numbers():
    layer = Standardization((2, 2, 1), mean=100.0, standard_deviation=50.0)
    images = np.array([0, 100, 150, 250], "uint8").reshape(1, 2, 2, 1)
    np.testing.assert_allclose(np.ravel(layer(images)), [-2.0, 0.0, 1.0, 3.0], atol=1e-6)


def test_all_256_values_survive_bfloat16():
    layer = Standardization((16, 16, 1), mean=0.0, standard_deviation=1.0, dtype="mixed_bfloat16")
    images = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    assert layer(images).dtype == tf.bfloat16
    np.testing.assert_array_equal(np.ravel(tf.cast(layer(images), tf.int32)), np.arange(256))


def test_it_remembers_the_shape_it_was_made_for():
    layer = Standardization((28, 20, 3), mean=10.0, standard_deviation=40.0)
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert copy.image_shape == (28, 20, 3)
    assert copy.get_config() == layer.get_config()
    assert copy(np.ones((1, 14, 14, 3))).shape == (1, 14, 14, 3)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="`standard_deviation` must be positive"):
        Standardization((2, 2, 1), standard_deviation=0.0)
    with pytest.raises(ValueError, match="1 channels"):
        Standardization((2, 2, 1))(np.ones((1, 2, 2, 3)))
