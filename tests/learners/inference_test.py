"""Layers that do something else in training than in inference."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted, predicted, weights_of
from tests.helpers.learner_kinds import LEARNERS
from tests.helpers.tasks import batch, dataset, flat, task
from tfmgaug.learners import (
    FineTuning,
)

layers = keras.layers


@keras.saving.register_keras_serializable("tests")
class Doubled(layers.Layer):
    """Doubles its inputs in training, and shifts them otherwise."""

    def call(self, x, training=False):
        return 2.0 * x if training else x + 1.0


@keras.saving.register_keras_serializable("tests")
class Shifted(layers.Layer):
    """What `Doubled` is in inference."""

    def call(self, x):
        return x + 1.0


@keras.saving.register_keras_serializable("tests")
class AlwaysDoubled(layers.Layer):
    """What `Doubled` is in training."""

    def call(self, x):
        return 2.0 * x


def with_layer(layer, way=3):
    draws = [keras.initializers.GlorotUniform(seed=seed) for seed in range(2)]
    hidden = [layers.Dense(5, kernel_initializer=draws[0]), layers.BatchNormalization()]
    top = [] if way is None else [layers.Dense(way, kernel_initializer=draws[1])]
    return keras.Sequential([keras.Input([4]), *hidden, layer, layers.Flatten(), *top])


def build(name, layer, **options):
    way = None if name in ("ProtoNet", "MetaOptNet") else 3
    return LEARNERS[name](with_layer(layer, way), **options)


MODES = [("MAML", "support"), ("MAML", "one_by_one"), ("Reptile", "support"), ("ANIL", "support")]


@pytest.mark.parametrize(
    ("name", "statistics"), [*((name, "transductive") for name in LEARNERS), *MODES]
)
def test_evaluation_and_prediction_call_layers_in_inference(name, statistics):
    episode, found = task(batch()), []
    for layer in (Doubled(), Shifted()):
        learner = build(name, layer, statistics=statistics)
        state = learner.adapted_state(episode.support_x, episode.support_y)
        probabilities = learner.probabilities(state, episode.query_x)
        found.append((probabilities, learner.step_outcomes(episode)["loss"]))
    for own, expected in zip(*found):
        np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize(
    ("name", "statistics"), [*((name, "transductive") for name in LEARNERS), *MODES]
)
def test_training_calls_layers_in_training(name, statistics):
    learner, expected = (
        build(name, layer, statistics=statistics) for layer in (Doubled(), AlwaysDoubled())
    )
    found = learner.meta_gradients(batch())
    np.testing.assert_array_equal(flat(found), flat(expected.meta_gradients(batch())))


def test_fine_tuning_trains_in_training_and_adapts_in_inference():
    kinds = (Doubled, AlwaysDoubled, Shifted)
    learner, training, inference = (FineTuning(with_layer(kind()), classes=6) for kind in kinds)
    labeled = batch()[0]["support_x"][0], np.arange(6)
    found = learner.meta_gradients(labeled)
    np.testing.assert_array_equal(flat(found), flat(training.meta_gradients(labeled)))
    outcomes = [one.step_outcomes(task(batch()))["loss"] for one in (learner, inference)]
    np.testing.assert_array_equal(*outcomes)


def test_the_export_calls_layers_in_inference(tmp_path):
    support = batch()[0]["support_x"][0].astype("float32"), batch()[0]["support_y"][0]
    queries = batch()[0]["query_x"][0].astype("float32")
    found = []
    for name, layer in (("own", Doubled()), ("expected", Shifted())):
        build("FOMAML", layer).export(tmp_path / name)
        both = tf.saved_model.load(tmp_path / name).signatures["adapt_and_predict"]
        inputs = dict(zip(("support_x", "support_y"), map(tf.constant, support)))
        found.append(both(**inputs, query_x=tf.constant(queries))["probabilities"])
    np.testing.assert_array_equal(*found)


def test_running_statistics_serve_in_inference_too():
    learner = build("FOMAML", Doubled(), statistics="running")
    learner.compile(keras.optimizers.SGD(0.1))
    learner.fit(dataset(batch()), verbose=0)
    mean, variance = learner.network.statistics_variables.values()
    assert np.abs(mean.numpy()).max() > 0.01
    episode = task(batch())
    state = adapted(learner, episode)
    kernel, bias, gamma, beta, head, head_bias = weights_of(learner, state).values()
    scale = gamma / tf.sqrt(variance + 1e-3)
    x = tf.cast(episode.query_x, tf.float32) @ kernel + bias
    hidden = (x - mean) * scale + beta + 1.0
    found = predicted(learner, state, episode.query_x)
    np.testing.assert_allclose(found, hidden @ head + head_bias, rtol=1e-4, atol=1e-5)
