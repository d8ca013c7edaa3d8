import keras
import pytest
import tensorflow as tf

from tfmgaug.backbones import conv4
from tfmgaug.learners import FOMAML, MAML, ProtoNet

layers = keras.layers


def users_layer(function):
    class Own(layers.Layer):
        def call(self, x):
            return function(x)

    return Own(name="culprit")


def counting():
    class Counting(layers.Layer):
        def build(self, shape):
            self.calls = self.add_weight(shape=(), trainable=False)

        def call(self, x):
            self.calls.assign(self.calls + 1.0)
            return x

    return Counting(name="culprit")


def holding():
    """A layer that nobody tracks, because a function holds it."""
    flip = layers.RandomFlip()
    return layers.Lambda(lambda x: flip(x, training=True), name="culprit")


def attached():
    class Augmented(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.parts = {"augment": keras.Sequential([layers.RandomRotation(0.1)])}

        def call(self, x):
            return self.parts["augment"](x)

    return Augmented(name="culprit")


def generating():
    generator = tf.random.Generator.from_seed(1)
    return users_layer(lambda x: x + generator.normal(tf.shape(x)))


STATES = {
    "Dropout": lambda: layers.Dropout(0.5, name="culprit"),
    "GaussianNoise": lambda: layers.GaussianNoise(0.5, name="culprit"),
    "RandomFlip": lambda: layers.RandomFlip(name="culprit"),
    "RandomCrop": lambda: layers.RandomCrop(3, 3, name="culprit"),
    "RandomContrast": lambda: layers.RandomContrast(0.5, name="culprit"),
    "Pipeline": lambda: layers.Pipeline([layers.RandomFlip()], name="culprit"),
    "a nested model": lambda: keras.Sequential([layers.RandomFlip(name="culprit")]),
    "an attribute": attached,
    "a closure": holding,
    "keras.random": lambda: users_layer(lambda x: x + keras.random.normal((4, 4, 1))),
    "tf.random": lambda: users_layer(lambda x: x + tf.random.normal([4, 4, 1])),
    "a function": lambda: users_layer(tf.function(lambda x: x + tf.random.normal([4, 4, 1]))),
    "tf.random.Generator": generating,
    "a counter": counting,
}


def network(*middle):
    return keras.Sequential([keras.Input([4, 4, 1]), *middle, layers.Flatten(), layers.Dense(3)])


@pytest.mark.parametrize("kind", STATES)
def test_what_draws_or_changes_a_state_is_refused_by_name(kind):
    for learner in (FOMAML, ProtoNet):
        with pytest.raises(ValueError, match="a state of their own.*'culprit'"):
            learner(network(STATES[kind]()))


def test_recurrent_layers_that_draw_are_refused_and_the_others_not():
    def recurrent(**options):
        return keras.Sequential(
            [keras.Input([5, 2]), layers.LSTM(3, name="culprit", **options), layers.Dense(3)]
        )

    FOMAML(recurrent())
    with pytest.raises(ValueError, match=r"'culprit' \(LSTM\)"):
        FOMAML(recurrent(dropout=0.2))


def test_draws_by_a_key_are_the_same_function_each_time():
    fixed = users_layer(lambda x: x + tf.random.stateless_normal([4, 4, 1], [1, 2]))
    FOMAML(network(fixed, layers.Dropout(0.0)))


def test_the_packages_backbones_have_no_state():
    MAML(conv4(3, (16, 16, 1), 2))
