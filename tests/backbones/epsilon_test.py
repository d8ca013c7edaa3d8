"""The epsilon of normalization, an argument of every backbone."""

import functools

import keras
import numpy as np
import pytest

from tfmgaug.backbones import conv4, mlp, resnet10, resnet12, resnet18, wide_resnet
from tfmgaug.layers import BatchNormalization
from tfmgaug.learners import FOMAML

BUILDERS = {
    "conv4": functools.partial(conv4, 3, (16, 16, 1), 2),
    "conv4 of average pooling": functools.partial(conv4, 3, (16, 16, 1), 2, pooling="average"),
    "mlp": functools.partial(mlp, 3, (4,), (5, 5)),
    "resnet10": functools.partial(resnet10, 3, (16, 16, 1), filters=(2, 2, 2, 2)),
    "resnet12": functools.partial(resnet12, 3, (16, 16, 1), (2, 2, 2, 2)),
    "resnet18": functools.partial(resnet18, 3, (16, 16, 1), filters=(2, 2, 2, 2)),
    "wide_resnet": functools.partial(wide_resnet, 3, (8, 8, 1), 10, 1, 2),
}


def epsilons(model):
    return {layer.epsilon for layer in model.layers if isinstance(layer, BatchNormalization)}


@pytest.mark.parametrize("name", BUILDERS)
def test_every_normalization_has_the_epsilon_that_is_given(name):
    assert epsilons(BUILDERS[name]()) == {1e-3}
    assert epsilons(BUILDERS[name](normalization_epsilon=1e-5)) == {1e-5}
    with pytest.raises(ValueError, match="`normalization_epsilon` must be positive.*epsilon=0"):
        BUILDERS[name](normalization_epsilon=0)


@pytest.mark.parametrize("given", [{}, {"normalization_epsilon": 1e-5}])
def test_a_saved_learner_keeps_its_epsilon(given, tmp_path):
    learner = FOMAML(BUILDERS["conv4"](**given), inner_steps=1)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    assert epsilons(loaded.backbone) == {given.get("normalization_epsilon", 1e-3)}


def test_outputs_are_those_of_the_epsilon():
    model = mlp(None, (4,), (5,), activation=None, normalization_epsilon=0.5, dtype="float64")
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    features = x @ model.get_layer("dense1").kernel.numpy()
    centered = features - features.mean(0)
    expected = centered / np.sqrt(features.var(0) + 0.5)
    np.testing.assert_allclose(model(x, training=True), expected, rtol=1e-6)
