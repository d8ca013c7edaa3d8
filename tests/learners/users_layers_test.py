"""Layers that users bring along: embeddings, recurrent ones, normalization."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted
from tests.helpers.learner_kinds import LEARNERS, two_steps
from tests.helpers.tasks import batch, dataset, scatter, task
from tests.learners.gradients_test import assert_gradient_is_exact
from tfmgaug.augmentation import MGAug
from tfmgaug.learners import (
    FOMAML,
    MAML,
    FineTuning,
    MetaTicket,
    Reptile,
)
from tfmgaug.masks import CatfishMask, MagnitudeMask, WidthMask, cut

layers = keras.layers
WORDS, LENGTH = 7, 5


# Embeddings and recurrent layers.


def sentences(seed=0):
    draws, (inputs, query_y) = np.random.default_rng(seed), batch()
    words = {name: draws.integers(0, WORDS, (2, 6, LENGTH)) for name in ("support_x", "query_x")}
    return {**inputs, **words}, query_y


def reader(way=3, recurrent=layers.LSTM, **options):
    dtype = {"dtype": "float64"}
    embedding = layers.Embedding(WORDS, 4, name="embedding", **dtype, **options)
    hidden = [embedding, recurrent(3, **dtype), layers.Dense(4, "tanh", **dtype)]
    top = [] if way is None else [layers.Dense(way, **dtype)]
    return keras.Sequential([keras.Input([LENGTH], dtype="int32"), *hidden, *top])


def bag(way=3):
    """A network without time steps, which is traced in a moment."""
    hidden = [layers.Embedding(WORDS, 4), layers.Flatten(), layers.Dense(4, "tanh")]
    top = [] if way is None else [layers.Dense(way)]
    return keras.Sequential([keras.Input([LENGTH], dtype="int32"), *hidden, *top])


READERS = {
    **LEARNERS,
    "Reptile with a magnitude mask": lambda b: Reptile(b, magnitude_mask=MagnitudeMask(0.3)),
    "FOMAML with MGAug": lambda b: FOMAML(b, augmentation=MGAug(CatfishMask(0.1))),
    "MetaTicket": lambda b: MetaTicket(b, inner_steps=1),
}


@pytest.mark.parametrize("name", READERS)
def test_networks_with_embeddings_learn(name):
    way = None if name in ("ProtoNet", "MetaOptNet") else 3
    learner = READERS[name](bag(way))
    gradients = learner.meta_gradients(sentences())
    assert all(isinstance(gradient, tf.Tensor) for gradient in gradients.values())
    assert min(np.abs(gradient).max() for gradient in gradients.values()) > 0


def test_recurrent_networks_fit_and_evaluate():
    learner = FOMAML(reader(), inner_steps=1)
    learner.compile(keras.optimizers.SGD(0.1))
    losses = learner.fit(dataset(sentences(), 3), epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]
    assert np.isfinite(learner.evaluate(dataset(sentences()), verbose=0)).all()


def test_fine_tuning_learns_embeddings():
    learner = FineTuning(bag(), classes=6)
    gradients = learner.meta_gradients((sentences()[0]["support_x"][0], np.arange(6)))
    (embedding, *_) = gradients.values()
    assert embedding.shape == (WORDS, 4)


@pytest.mark.parametrize(
    ("name", "recurrent"),
    [
        ("MAML", layers.LSTM),
        ("MAML", layers.GRU),
        ("MAML that recomputes", layers.LSTM),
        ("ANIL", layers.LSTM),
        ("BOIL", layers.GRU),
        ("ProtoNet", layers.LSTM),
    ],
)
def test_meta_gradients_of_embeddings_and_recurrent_layers_are_exact(name, recurrent):
    learner = scatter(READERS[name](reader(None if name == "ProtoNet" else 3, recurrent)))
    assert_gradient_is_exact(learner, task(sentences()), directions=1)


def test_masked_time_steps_are_exact_too():
    learner = scatter(two_steps(MAML)(reader(mask_zero=True)))
    assert_gradient_is_exact(learner, task(sentences()), directions=1)


# Normalization.


def normalized(convolution, shape, **options):
    dtype = {"dtype": "float64"}
    hidden = [convolution(3, 2, **dtype), layers.BatchNormalization(**options, **dtype)]
    hidden += [layers.Activation("tanh", **dtype), layers.Flatten(**dtype)]
    return keras.Sequential([keras.Input(shape, **dtype), *hidden, layers.Dense(3, **dtype)])


@pytest.mark.parametrize("statistics", ["transductive", "support"])
@pytest.mark.parametrize(
    ("convolution", "shape"), [(layers.Conv1D, (4, 2)), (layers.Conv3D, (3, 2, 3, 1))]
)
def test_normalized_convolutions_of_any_rank_are_exact(convolution, shape, statistics):
    learner = scatter(two_steps(MAML, statistics=statistics)(normalized(convolution, shape)))
    assert_gradient_is_exact(learner, task(shaped(shape)), directions=1)


def shaped(shape):
    """A batch of tasks with float inputs of any shape."""
    draws, (inputs, query_y) = np.random.default_rng(0), batch()
    x = {name: draws.normal(size=(2, 6, *shape)) for name in ("support_x", "query_x")}
    return {**inputs, **x}, query_y


@pytest.mark.parametrize("options", [{"scale": False}, {"center": False}, {"axis": 1}])
def test_normalization_without_scale_or_center_or_on_another_axis_is_exact(options):
    backbone = normalized(layers.Conv1D, (4, 2), **options)
    learner = scatter(two_steps(MAML, statistics="support")(backbone))
    assert_gradient_is_exact(learner, task(shaped((4, 2))), directions=1)


def test_width_masks_and_cutting_know_normalization_without_weights():
    plain = {"scale": False, "center": False}
    hidden = [layers.Conv2D(4, 3), layers.BatchNormalization(**plain), layers.ReLU()]
    top = [layers.Flatten(), layers.Dense(3)]
    backbone = keras.Sequential([keras.Input([8, 8, 1]), *hidden, *top])
    learner = FOMAML(backbone, augmentation=MGAug(WidthMask(0.5)))
    assert len(learner.augmentation.mask.prunable) == 2
    assert cut(learner.backbone, 0.5).get_layer(hidden[0].name).filters == 2


def test_adapted_normalization_stands_in_front_and_is_saved(tmp_path):
    front = layers.Normalization(dtype="float64")
    front.adapt(np.random.default_rng(1).normal(3, 2, size=(50, 4)))
    hidden = [layers.Dense(4, "tanh", dtype="float64"), layers.Dense(3, dtype="float64")]
    backbone = keras.Sequential([keras.Input([4], dtype="float64"), front, *hidden])
    learner = scatter(two_steps(MAML)(backbone))
    assert_gradient_is_exact(learner, task(batch()), directions=1)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    episode = task(batch())
    found, expected = (
        one.adapt(episode.support_x, episode.support_y).predict(episode.query_x)
        for one in (loaded, learner)
    )
    np.testing.assert_array_equal(found, expected)


def test_lookup_tables_are_exported(tmp_path):
    lookup = layers.IntegerLookup(vocabulary=list(range(WORDS)))
    embedded = [lookup, layers.Embedding(WORDS + 1, 3), layers.Flatten(), layers.Dense(3)]
    learner = FOMAML(keras.Sequential([keras.Input([LENGTH], dtype="int32"), *embedded]))
    learner.export(tmp_path / "export")
    model = tf.saved_model.load(tmp_path / "export")
    data, _ = sentences()
    support_x, query_x = (tf.constant(data[n][0], tf.float32) for n in ("support_x", "query_x"))
    support_y = tf.constant(data["support_y"][0])
    found = model.signatures["adapt_and_predict"](
        support_x=support_x, support_y=support_y, query_x=query_x
    )["probabilities"]
    learner.statistics = "support"
    expected = learner.adapt(data["support_x"][0], data["support_y"][0]).predict(data["query_x"][0])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_generators_and_adapted_statistics_are_no_part_of_a_state():
    learner = two_steps(MAML, statistics="support")(reader())
    assert learner.backbone.non_trainable_variables  # the generator of the LSTM
    episode = task(sentences())
    state = adapted(learner, episode)
    assert set(state) == {*learner.network.variables, "classes"}
