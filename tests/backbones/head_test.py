import warnings

import keras
import pytest
import tensorflow as tf

from tfmgaug import MGAug
from tfmgaug.backbones import conv4, mlp, resnet10
from tfmgaug.backbones.head import body_and_head, classifier_of
from tfmgaug.layers import BatchNormalization
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, FineTuning, ProtoNet, Reptile
from tfmgaug.masks import ParameterMask

layers = keras.layers


def network(*behind, units=3, **options):
    top = layers.Dense(units, name="top", **options)
    hidden = layers.Dense(4, "tanh", name="hidden")
    return keras.Sequential([keras.Input([4]), hidden, top, *behind], name="own")


class Block(keras.layers.Layer):
    """A user's layer made of others."""

    def __init__(self, *inner, **kwargs):
        super().__init__(**kwargs)
        self.inner = list(inner)

    def call(self, x):
        for layer in self.inner:
            x = layer(x)
        return x


def nested(model):
    return keras.Sequential([keras.Input([4]), model])


PROBABILITIES = {
    "softmax": lambda: network(activation="softmax"),
    "sigmoid": lambda: network(activation="sigmoid"),
    "hard_sigmoid": lambda: network(activation="hard_sigmoid"),
    "sparsemax": lambda: network(activation="sparsemax"),
    "Softmax": lambda: network(layers.Softmax()),
    "Activation": lambda: network(layers.Activation("softmax")),
    "Lambda": lambda: network(layers.Lambda(tf.nn.softmax)),
    "a function": lambda: network(layers.Lambda(tf.function(tf.nn.sigmoid))),
    "a nested model": lambda: nested(network(activation="softmax")),
    "reshaped": lambda: network(layers.Softmax(), layers.Reshape([3])),
    "a user's layer": lambda: network(Block(layers.Softmax())),
}


@pytest.mark.parametrize("kind", PROBABILITIES)
def test_a_head_that_makes_probabilities_is_refused(kind):
    for learner in (FOMAML, Reptile):
        with pytest.raises(ValueError, match="must give logits.*remove the activation"):
            learner(PROBABILITIES[kind]())


def test_probabilities_are_refused_by_every_learner_of_a_fixed_way():
    for learner in (MAML, ANIL, BOIL):
        with pytest.raises(ValueError, match=r"layer 'top' \(Dense\) in 'own'"):
            learner(network(activation="softmax"))
    with pytest.raises(ValueError, match="must give logits"):
        FineTuning(network(activation="softmax"), classes=9)


def test_embeddings_and_values_may_be_bounded():
    ProtoNet(network(activation="softmax"))
    FOMAML(network(units=1, activation="sigmoid"), loss="mean_squared_error")


FEATURES = {
    "Relu of layer 'stage2'": lambda: mlp(None, (4,), (3, 2)),
    "Relu of layer 'stage4'": lambda: resnet10(None, (16, 16, 1), filters=(2, 2, 2, 2)),
    "Tanh of layer 'top'": lambda: network(units=8, activation="tanh"),
}


@pytest.mark.parametrize("kind", FEATURES)
def test_outputs_that_look_like_features_are_questioned(kind):
    with pytest.warns(UserWarning, match=f"{kind}.*look like features"):
        FOMAML(FEATURES[kind]())


def pooled():
    """Channels are classes, and the head is a convolution."""
    inputs = keras.Input([6, 6, 1])
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(layers.Conv2D(3, 1)(x)))


@pytest.mark.parametrize(
    "build",
    [network, pooled, lambda: network(units=8), lambda: network(layers.Rescaling(3.0)),
     lambda: network(activation="log_softmax"), lambda: conv4(3, (16, 16, 1), 2)],
)  # fmt: skip
def test_linear_heads_raise_no_question(build):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        FOMAML(build())


def test_outputs_that_are_no_vectors_are_refused():
    with pytest.raises(ValueError, match=r"logits \[n, way\].*\(None, 2, 3\)"):
        FOMAML(keras.Sequential([keras.Input([2, 4]), layers.Dense(3)]))
    with pytest.raises(ValueError, match=r"logits \[n, way\].*\(None, None\)"):
        FOMAML(conv4(None, (16, 16, 1), 2))


def test_the_head_is_the_last_layer_with_weights_frozen_or_not():
    backbone = network(layers.Rescaling(2.0))
    assert classifier_of(backbone).name == "top"
    backbone.get_layer("top").trainable = False
    assert classifier_of(backbone).name == "top"
    with pytest.raises(ValueError, match="unfreeze what is to adapt.*adapts='head'"):
        ANIL(backbone)
    assert BOIL(backbone).initial_state().keys() == {"own_hidden_kernel", "own_hidden_bias"}


def test_a_head_in_a_wrapper_is_never_pruned():
    top = Block(layers.Dense(3, name="inner"), name="top")
    backbone = keras.Sequential([keras.Input([4]), layers.Dense(4, name="hidden"), top])
    learner = FOMAML(backbone, augmentation=MGAug(ParameterMask(0.5)))
    assert len(learner.network.variables) == 4
    (pruned,) = learner.augmentation.mask.prunable
    assert pruned.endswith("hidden_kernel")


def test_a_layer_that_hides_body_and_head_is_named():
    backbone = nested(Block(layers.Dense(4, name="body"), layers.Dense(3, name="head"), name="all"))
    FOMAML(backbone)
    with pytest.raises(ValueError, match=r"'all' \(Block\), holds \['body', 'head'\]"):
        ANIL(backbone)


def test_the_backbone_is_divided_in_front_of_its_head():
    body, head = body_and_head(network(layers.Rescaling(2.0)))
    assert body.output_shape == head.input_shape == (None, 4)
    assert head.output_shape == (None, 3)
    inputs = keras.Input([4])
    top = layers.Dense(3, name="top")(layers.Dense(4)(inputs))
    around = keras.Model(inputs, layers.Concatenate()([top, inputs]))
    with pytest.raises(ValueError, match="bypasses the head 'top'"):
        body_and_head(around)
    with pytest.raises(ValueError, match="no batch normalization after the head"):
        body_and_head(network(BatchNormalization(scale=False, center=False)))
