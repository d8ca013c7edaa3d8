import keras
import numpy as np
import pytest

from tfmgaug.backbones import conv4, mlp
from tfmgaug.backbones.flattening import flattened, innermost, is_nested
from tfmgaug.backbones.preparation import prepare

layers = keras.layers


def wrapped(model, times=1):
    """A model inside of a model, by turns a sequential and a functional one."""
    for number in range(times):
        inputs = keras.Input(model.inputs[0].shape[1:])
        if number % 2:
            model = keras.Model(inputs, model(inputs), name=f"outer{number}")
        else:
            model = keras.Sequential([inputs, model], name=f"outer{number}")
    return model


def block(name, size):
    inner = [layers.Dense(size, name="dense"), layers.Activation("tanh", name="bend")]
    return keras.Sequential(inner, name=name)


def residual():
    """Functional models inside, one of them called twice, with a skip connection around it."""
    inputs, inner = keras.Input([4]), keras.Input([4])
    shared = keras.Model(inner, layers.Dense(4, "tanh", name="shared")(inner), name="inner")
    x = layers.Add(name="sum")([shared(shared(inputs)), inputs])
    return keras.Model(inputs, layers.Dense(3, name="top")(x + 1.0), name="residual")


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("build", [lambda: conv4(3, (16, 16, 1), 2), lambda: mlp(3, (4,), (3, 2))])
def test_a_wrapped_model_is_its_layers_one_after_another(build, times):
    bare = build()
    flat = prepare(wrapped(bare, times))
    assert not is_nested(flat)
    assert [layer.name for layer in innermost(flat)] == [layer.name for layer in innermost(bare)]
    assert [v.path for v in flat.variables] == [v.path for v in bare.variables]
    x = np.random.default_rng(0).normal(size=(4, *[s or 16 for s in bare.inputs[0].shape[1:]]))
    np.testing.assert_array_equal(flat(x), bare(x))


def test_the_layers_are_the_users_own():
    bare = mlp(3, (4,), (3, 2))
    flat = prepare(wrapped(bare))
    assert all(a is b for a, b in zip(flat.variables, bare.variables, strict=True))


def test_models_called_twice_and_skip_connections_stay_what_they_are():
    model = residual()
    flat = prepare(model)
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(flat(x), model(x))
    assert [layer.name for layer in innermost(flat)] == ["shared", "sum", "top"]
    assert len(flat.trainable_variables) == 4


def test_blocks_with_layers_of_the_same_names_are_copied_under_other_names():
    blocks = [keras.Input([4]), block("first", 3), block("second", 2), layers.Dense(3, name="top")]
    model = keras.Sequential(blocks)
    before = [w.copy() for w in model.get_weights()]
    flat = prepare(model)
    names = ["dense", "bend", "dense_1", "bend_1", "top"]
    assert [layer.name for layer in innermost(flat)] == names
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(flat(x), model(x))
    flat.set_weights([w + 1 for w in before])
    for found, expected in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_a_lambda_beside_normalization_that_is_replaced_keeps_its_function():
    scale = 3.0
    triple = layers.Lambda(lambda x: scale * x)
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(1).normal(2, 3, size=(20, 4)))
    rest = [layers.BatchNormalization(), layers.Dense(3)]
    model = keras.Sequential([keras.Input([4]), adapted, layers.Dense(4), triple, *rest])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(prepare(model)(x), model(x), rtol=1e-5, atol=1e-6)


def test_a_model_that_says_how_it_is_called_is_left_whole():
    class Doubling(keras.Model):
        def __init__(self):
            inputs = keras.Input([4])
            super().__init__(inputs, layers.Dense(3)(inputs), name="doubling")

        def call(self, x):
            return 2 * super().call(x)

    inner = Doubling()
    model = keras.Sequential([keras.Input([4]), block("first", 4), inner, layers.Dense(3)])
    flat = prepare(model)
    assert any(layer is inner for layer in innermost(flat))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_array_equal(flat(x), model(x))


def test_frozen_layers_inside_stay_frozen():
    inner = block("first", 4)
    inner.trainable = False
    model = keras.Sequential([keras.Input([4]), inner, layers.Dense(3)])
    assert len(prepare(model).trainable_variables) == 2
    copy = flattened(model, lambda layer: None, copied=True)
    assert len(copy.trainable_variables) == 2
