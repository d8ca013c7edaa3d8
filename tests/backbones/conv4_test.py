import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.backbones import conv4
from tfmgaug.masks import cut


def reference(model, x):
    """Strided blocks, written out with TensorFlow's own convolution."""
    weights = [tf.constant(w) for w in model.trainable_variables]
    x = (x - 127.5) / 127.5
    for block in range(4):
        kernel, gamma, beta = weights[3 * block : 3 * block + 3]
        x = tf.nn.conv2d(x, kernel, 2, "SAME")
        mean, variance = tf.nn.moments(x, [0, 1, 2])
        x = tf.nn.relu(tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3))
    kernel, bias = weights[-2:]
    flat = tf.reshape(x, [len(x), -1])
    return flat @ tf.reshape(kernel, [flat.shape[1], -1]) + bias


@pytest.mark.parametrize("size", [16, 20, 28])
def test_strided_blocks_halve_images_by_every_second_position(size):
    model = conv4(3, (size, size, 1), 4, pooling="strided", dtype="float64")
    x = np.random.default_rng(0).uniform(0, 255, (5, size, size, 1)).astype("float32")
    np.testing.assert_allclose(
        model(x, training=True), reference(model, x.astype("float64")), rtol=1e-6
    )
    left = -(-size // 16)
    assert model.get_layer("head").kernel.shape == (left, left, 4, 3)
    assert not any("pool" in layer.name for layer in model.layers)


def test_strided_networks_can_be_cut_and_take_smaller_images():
    model = conv4(3, (28, 28, 1), 4, pooling="strided")
    assert cut(model, 0.5).get_layer("conv4").filters == 2
    assert model(np.zeros((2, 16, 16, 1))).shape == (2, 3)


def test_other_poolings_are_refused():
    with pytest.raises(ValueError, match="must be one of .*'strided'"):
        conv4(3, (28, 28, 1), pooling="none")
