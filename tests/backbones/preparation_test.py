import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.finite_differences import assert_query_slope_is_exact
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, images, smooth_conv, task
from tfmgaug.backbones.head import classifier_of
from tfmgaug.backbones.preparation import image_shape_of, prepare
from tfmgaug.layers import BatchNormalization
from tfmgaug.learners import FOMAML, MAML, ProtoNet

layers = keras.layers


def network(*hidden, shape=(4,), name="own"):
    return keras.Sequential([keras.Input(shape), *hidden, layers.Dense(3, name="top")], name=name)


def stock_residual(dtype=None):
    """A user's own functional model, with a skip connection and Keras's normalization."""
    inputs = keras.Input([8, 8, 1])
    x = layers.Conv2D(4, 3, padding="same", dtype=dtype)(inputs)
    x = layers.BatchNormalization(epsilon=0.01, dtype=dtype, name="first")(x)
    y = layers.Conv2D(4, 3, padding="same", activation="tanh", dtype=dtype)(x)
    x = layers.Add(dtype=dtype)([x, layers.BatchNormalization(dtype=dtype, name="second")(y)])
    x = layers.GlobalAveragePooling2D(dtype=dtype)(x)
    model = keras.Model(inputs, layers.Dense(3, dtype=dtype)(x), name="residual")
    draws = np.random.default_rng(0)
    model.set_weights([w + draws.uniform(0, 0.5, w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize("training", [False, True])
def test_stock_normalization_is_converted_with_the_same_outputs(training):
    stock = stock_residual()
    converted = prepare(stock)
    kinds = [type(layer) for layer in converted.layers]
    assert kinds.count(BatchNormalization) == 2
    assert layers.BatchNormalization not in kinds
    assert converted.get_layer("first").epsilon == 0.01
    x = np.random.default_rng(1).normal(size=(5, 8, 8, 1)).astype("float32")
    found, expected = (model(x, training=training) for model in (converted, stock))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_original_is_left_as_it_was():
    stock = stock_residual()
    before = [w.copy() for w in stock.get_weights()]
    converted = prepare(stock)
    converted.set_weights([w + 1 for w in before])
    for found, expected in zip(stock.get_weights(), before):
        np.testing.assert_array_equal(found, expected)
    assert isinstance(stock.get_layer("first"), layers.BatchNormalization)


def test_nested_models_are_converted_too():
    inner = keras.Sequential([keras.Input([4]), layers.Dense(5), layers.BatchNormalization()])
    converted = prepare(network(inner))
    kinds = [type(layer) for layer in converted._flatten_layers()]
    assert BatchNormalization in kinds
    assert layers.BatchNormalization not in kinds


def test_converted_meta_gradients_equal_finite_differences():
    learner = MAML(stock_residual("float64"), inner_steps=1, inner_learning_rate=0.5)
    episode = task(batch(shape=(8, 8, 1)))
    small = episode._replace(
        support_x=tf.cast(episode.support_x, tf.float32) / 100,
        query_x=tf.cast(episode.query_x, tf.float32) / 100,
    )
    assert_query_slope_is_exact(learner, small, step=1e-5, rtol=1e-6)


def test_a_backbone_without_stock_normalization_is_taken_as_it_is():
    backbone = smooth_conv()
    assert prepare(backbone) is backbone


@pytest.mark.parametrize(
    "layer",
    [
        layers.LayerNormalization(name="culprit"),
        layers.GroupNormalization(2, name="culprit"),
    ],
)
def test_inexact_layers_are_refused_at_second_order_by_name(layer):
    backbone = network(layers.Dense(4), layer)
    with pytest.raises(ValueError, match="wrong second-order gradients.*'culprit'"):
        MAML(backbone)
    assert FOMAML(backbone).backbone is backbone
    assert ProtoNet(backbone).backbone is backbone


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.Dropout(0.5, name="culprit"), "Dropout"),
        (layers.GaussianNoise(0.5, name="culprit"), "GaussianNoise"),
        (layers.SpectralNormalization(layers.Dense(4), name="culprit"), "SpectralNormalization"),
    ],
)
def test_layers_with_a_state_are_refused_by_name(layer, name):
    with pytest.raises(ValueError, match=rf"'culprit' \({name}\)"):
        FOMAML(network(layer))


@pytest.mark.parametrize(
    "options", [{"synchronized": True}, {"gamma_regularizer": "l2"}, {"beta_constraint": "non_neg"}]
)
def test_normalization_that_cannot_be_converted_is_named(options):
    backbone = network(layers.Dense(4), layers.BatchNormalization(**options, name="culprit"))
    with pytest.raises(ValueError, match=rf"has no {next(iter(options))}.*'culprit'"):
        FOMAML(backbone)


def test_normalization_inside_of_a_users_layer_is_named():
    class Block(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.norm = layers.BatchNormalization(name="hidden")

        def call(self, x):
            return self.norm(x)

    with pytest.raises(ValueError, match=r"'culprit' \(Block\), which holds 'hidden'"):
        FOMAML(network(layers.Dense(4), Block(name="culprit")))


def test_quantized_weights_are_refused_by_name():
    backbone = network(layers.Dense(4, name="culprit"))
    backbone.layers[0].quantize("int8")
    with pytest.raises(ValueError, match="layer 'culprit', quantized to int8"):
        FOMAML(backbone)


def test_layers_that_recompute_are_refused_by_name():
    with keras.RematScope("full"):
        culprit = layers.Dense(4, name="culprit")
    with pytest.raises(ValueError, match="recompute_inner_steps=True.*'culprit'"):
        FOMAML(network(culprit))


def test_float16_is_refused_by_name():
    for dtype in ("float16", "mixed_float16"):
        with pytest.raises(ValueError, match="layer 'culprit' in float16"):
            FOMAML(network(layers.Dense(4, dtype=dtype, name="culprit")))
        with pytest.raises(ValueError, match="float16"):
            FOMAML(smooth_conv(dtype=dtype))


def test_two_outputs_are_refused():
    inputs = keras.Input([4])
    outputs = [layers.Dense(3)(inputs), layers.Dense(2)(inputs)]
    with pytest.raises(ValueError, match="1 inputs and 2 outputs"):
        FOMAML(keras.Model(inputs, outputs, name="two"))


def test_what_is_no_built_functional_model_is_refused():
    with pytest.raises(TypeError, match="functional or sequential"):
        FOMAML(layers.Dense(3))
    with pytest.raises(ValueError, match="must be built"):
        FOMAML(keras.Sequential([layers.Dense(3)]))


def test_the_classifier_is_the_last_layer_with_weights():
    backbone = network(layers.Dense(5))
    assert classifier_of(backbone).name == "top"
    assert classifier_of(stock_residual()).units == 3


def test_the_image_shape_is_what_the_backbone_was_made_for():
    assert image_shape_of(smooth_conv(size=24)) == (24, 24, 1)
    assert image_shape_of(stock_residual()) == (8, 8, 1)
    assert MAML(smooth_conv()).example_shape == (None, None, 1)


@pytest.mark.parametrize("trainable", [True, False])
def test_frozen_layers_do_not_train(trainable):
    backbone = stock_residual()
    backbone.layers[1].trainable = trainable
    kernel = backbone.layers[1].kernel.path
    learner = FOMAML(backbone, inner_steps=1)
    names = [v.path for v in learner.meta_variables]
    assert (kernel in names) == trainable


def test_frozen_normalization_is_refused_by_name():
    backbone = stock_residual()
    backbone.get_layer("second").trainable = False
    with pytest.raises(ValueError, match="layer 'second'"):
        FOMAML(backbone, inner_steps=1)


def test_a_sequential_model_learns():
    learner = FOMAML(network(layers.Dense(5, "tanh")), inner_steps=1)
    learner.compile(keras.optimizers.SGD(0.1))
    data = tf.data.Dataset.from_tensors(batch()).repeat(20)
    losses = learner.fit(data, epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]


def test_images_are_used_as_they_come():
    learner = FOMAML(smooth_conv(), inner_steps=1)
    assert learner.backbone.inputs[0].shape == (None, None, None, 1)
    assert task_gradient(learner, task(images())).outcome.loss > 0
