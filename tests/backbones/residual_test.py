"""Properties of all residual networks."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.finite_differences import assert_query_slope_is_exact
from tests.helpers.numpy_layers import scattered
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, flat, scatter, task, theta
from tfmgaug.backbones import resnet, resnet10, resnet12, wide_resnet
from tfmgaug.backbones.preparation import image_shape_of
from tfmgaug.learners import FOMAML, MAML

SHAPE = (8, 8, 1)
SLOPE = float(np.float32(0.1))  # TensorFlow keeps it in float32 whatever it computes in
TINY = {
    "resnet": lambda **options: resnet10(3, (32, 32, 1), filters=(4, 4, 8, 8), **options),
    "resnet12": lambda **options: resnet12(3, (16, 16, 1), (3, 4), **options),
    "wide_resnet": lambda **options: wide_resnet(3, SHAPE, 10, 2, 2, **options),
}
# Smaller still, with all that the networks have.
TINIEST = {
    "resnet": lambda **options: resnet(3, SHAPE, (1, 2), (3, 4), **options),
    "resnet12": lambda **options: resnet12(3, SHAPE, (2, 3), **options),
    "wide_resnet": lambda **options: wide_resnet(3, SHAPE, 10, 2, 1, **options),
}
WITH_POOLING = ("resnet", "resnet12")


@pytest.mark.parametrize(
    ("model", "convolutions"),
    [
        (lambda: resnet(None, (32, 32, 3), blocks=(1, 1), filters=(64, 96)), 6),
        (lambda: resnet12(None, (32, 32, 3), filters=(64, 96)), 8),
        (lambda: wide_resnet(None, depth=10, widen=4), 10),
    ],
)
def test_convolutions_start_he_normal_over_fan_out(model, convolutions):
    found = [layer for layer in model().layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(found) == convolutions
    for layer in found:
        kernel = layer.kernel.numpy()
        deviation = np.sqrt(2 / (kernel.shape[0] * kernel.shape[1] * kernel.shape[3]))
        # Within four standard errors.
        np.testing.assert_allclose(kernel.std(), deviation, rtol=4 / np.sqrt(2 * kernel.size))
        # A truncated normal would end at 2.3 deviations.
        assert np.abs(kernel).max() > 2.4 * deviation
        assert layer.bias is None


@pytest.mark.parametrize("tiny", TINY.values(), ids=TINY)
def test_the_seed_decides_every_kernel(tiny):
    kernels = [flat([w for w in tiny(seed=seed).get_weights() if w.ndim > 1]) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.mean(kernels[0] == kernels[2]) < 1e-3


@pytest.mark.parametrize("tiny", TINY.values(), ids=TINY)
def test_a_copy_from_its_configuration_is_the_same_network(tiny):
    model = scattered(tiny())
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).uniform(0, 255, size=(2, *image_shape_of(model)))
    np.testing.assert_array_equal(copy(x), model(x))


@pytest.mark.parametrize("name", TINIEST)
def test_meta_gradients_equal_finite_differences(name):
    pooling = {"pooling": "average"} if name in WITH_POOLING else {}
    backbone = TINIEST[name](activation="tanh", dtype="float64", **pooling)
    learner = scatter(MAML(backbone, inner_steps=1, inner_learning_rate=0.5))
    assert_query_slope_is_exact(learner, task(batch(shape=SHAPE)), step=2e-7, rtol=1e-7)


class ElementaryPooling(keras.layers.MaxPooling2D):
    """Max pooling with a stride of 2, in operations whose gradients nobody doubts."""

    def call(self, x):
        (size, _), highest = self.pool_size, None
        height, width = ((tf.shape(x)[axis] - size) // 2 + 1 for axis in (1, 2))
        for row in range(size):
            for column in range(size):
                part = x[:, row : row + 2 * height - 1 : 2, column : column + 2 * width - 1 : 2]
                highest = part if highest is None else tf.where(part > highest, part, highest)
        return highest


class ElementaryLeakyReLU(keras.layers.LeakyReLU):
    """LeakyReLU in operations whose gradients nobody doubts."""

    def call(self, x):
        return tf.where(x > 0, x, SLOPE * x)


ELEMENTARY = {
    keras.layers.MaxPooling2D: ElementaryPooling,
    keras.layers.LeakyReLU: ElementaryLeakyReLU,
}


@pytest.mark.parametrize(
    ("backbone", "kinks"),
    [
        # Overlapping windows, 3 x 3.
        (lambda: TINIEST["resnet"](activation="tanh", dtype="float64"), 1),
        # The paper's network: 2 x 2, and LeakyReLU three times a block.
        (lambda: TINIEST["resnet12"](dtype="float64"), 8),
    ],
)
def test_kinks_are_exact_at_second_order(backbone, kinks):
    def elementary(layer):
        kind = ELEMENTARY.get(type(layer), type(layer))
        return kind.from_config(layer.get_config())

    backbone = backbone()
    other = keras.models.clone_model(backbone, clone_function=elementary)
    assert sum(type(layer) in ELEMENTARY.values() for layer in other.layers) == kinks
    first, learner, expected = (
        kind(one, inner_steps=1, inner_learning_rate=0.5)
        for kind, one in ((FOMAML, backbone), (MAML, backbone), (MAML, other))
    )
    scatter(learner)
    episode = task(batch(shape=SHAPE))
    first, found, expected = (
        flat(task_gradient(one, episode, theta(learner)).gradients)
        for one in (first, learner, expected)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)
    assert np.abs(first - found).max() > 1e-3
