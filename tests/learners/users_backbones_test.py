"""What users build for themselves, in every learner."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.learners.gradients_test import assert_gradient_is_exact
from tests.tasks import batch, dataset, scatter, task
from tfmgaug.augmentation import MGAug
from tfmgaug.backbones import conv4, mlp
from tfmgaug.learners import (
    ANIL,
    BOIL,
    CAVIA,
    FOMAML,
    MAML,
    FineTuning,
    MetaOptNet,
    MetaTicket,
    ProtoNet,
    Reptile,
)
from tfmgaug.masks import CatfishMask, MagnitudeMask, WidthMask, cut

layers = keras.layers
WORDS, LENGTH = 7, 5


def two_steps(kind, **options):
    return functools.partial(kind, inner_steps=2, inner_learning_rate=0.3, **options)


GRADIENT_BASED = {
    "MAML": two_steps(MAML),
    "MAML that recomputes": two_steps(MAML, recompute_inner_steps=True),
    "FOMAML": two_steps(FOMAML),
    "ANIL": two_steps(ANIL),
    "BOIL": two_steps(BOIL),
    "MetaTicket": two_steps(MetaTicket),
    "Reptile": two_steps(Reptile),
}


# A backbone that is wrapped once more.


def wrapped(model):
    inputs = keras.Input(model.inputs[0].shape[1:])
    return keras.Sequential([inputs, keras.Model(inputs, model(inputs))])


@pytest.mark.parametrize("name", GRADIENT_BASED)
def test_a_wrapped_backbone_learns_as_the_bare_one(name):
    bare, other = (
        scatter(GRADIENT_BASED[name](wrap(mlp(3, (4,), (5, 4)))))
        for wrap in (lambda model: model, wrapped)
    )
    assert list(other.start()) == list(bare.start())
    assert list(other.inner_rates()) == list(bare.inner_rates())
    assert other.classifier.name == bare.classifier.name == "head"
    for found, expected in zip(other.meta_gradients(batch()), bare.meta_gradients(batch())):
        np.testing.assert_array_equal(found, expected)


def test_the_head_of_a_wrapped_backbone_alone_adapts_in_anil_and_is_never_pruned():
    backbone = wrapped(conv4(3, (16, 16, 1), 4))
    assert list(ANIL(backbone).start()) == ["head_kernel", "head_bias"]
    assert "head_kernel" not in BOIL(backbone).start()
    learner = FOMAML(backbone, augmentation=MGAug(WidthMask(0.5)))
    pruned = [n for n, p in zip(learner.weight_names, learner.augmentation.mask.prunable) if p]
    assert pruned[0] == "conv1_kernel"
    assert not any(name.startswith("head") for name in pruned)
    assert [stage.name for stage in learner.stages][-2:] == ["stage4", "head"]
    assert learner.image_shape == (16, 16, 1)
    assert cut(backbone, 0.5).count_params() < backbone.count_params() / 3


def test_fine_tuning_and_contexts_find_what_is_wrapped():
    learner = FineTuning(wrapped(mlp(3, (4,), (5, 4))), classes=6)
    assert learner.training_head.kernel.shape == (4, 6)
    contextual = wrapped(mlp(3, (4,), (5, 4), normalization=False, context=2))
    assert list(CAVIA(contextual).start()) == ["context_vector"]


def test_a_wrapped_backbone_is_saved_and_exported(tmp_path):
    learner = scatter(ANIL(wrapped(mlp(3, (4,), (5, 4)))))
    support = batch()[0]["support_x"][0].astype("float32"), batch()[0]["support_y"][0]
    queries = batch()[0]["query_x"][0].astype("float32")
    expected = learner.adapt(*support).predict(queries)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    np.testing.assert_array_equal(loaded.adapt(*support).predict(queries), expected)


# Layers that do something else in training.


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


LEARNERS = {**GRADIENT_BASED, "ProtoNet": ProtoNet, "MetaOptNet": MetaOptNet}


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
        predicted = learner.probabilities(state, episode.query_x)
        found.append((predicted, learner.step_outcomes(episode).loss))
    for own, expected in zip(*found):
        np.testing.assert_array_equal(own, expected)


@pytest.mark.parametrize(
    ("name", "statistics"), [*((name, "transductive") for name in LEARNERS), *MODES]
)
def test_training_calls_layers_in_training(name, statistics):
    learner, expected = (
        build(name, layer, statistics=statistics) for layer in (Doubled(), AlwaysDoubled())
    )
    for found, right in zip(learner.meta_gradients(batch()), expected.meta_gradients(batch())):
        np.testing.assert_array_equal(found, right)


def test_fine_tuning_trains_in_training_and_adapts_in_inference():
    kinds = (Doubled, AlwaysDoubled, Shifted)
    learner, training, inference = (FineTuning(with_layer(kind()), classes=6) for kind in kinds)
    labeled = batch()[0]["support_x"][0], np.arange(6)
    for found, right in zip(learner.meta_gradients(labeled), training.meta_gradients(labeled)):
        np.testing.assert_array_equal(found, right)
    outcomes = [one.step_outcomes(task(batch())).loss for one in (learner, inference)]
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
    mean, variance = learner.statistics_variables
    assert np.abs(mean.numpy()).max() > 0.01
    episode = task(batch())
    state = learner.adapt_state(learner.start(), episode.support_x, episode.support_y)
    kernel, bias, gamma, beta, head, head_bias = learner.weights_of(state)
    scale = gamma / tf.sqrt(variance + 1e-3)
    x = tf.cast(episode.query_x, tf.float32) @ kernel + bias
    hidden = (x - mean) * scale + beta + 1.0
    found = learner.predict_state(state, episode.query_x)
    np.testing.assert_allclose(found, hidden @ head + head_bias, rtol=1e-4, atol=1e-5)


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
    assert all(isinstance(gradient, tf.Tensor) for gradient in gradients)
    assert min(np.abs(gradient).max() for gradient in gradients) > 0


def test_recurrent_networks_fit_and_evaluate():
    learner = FOMAML(reader(), inner_steps=1)
    learner.compile(keras.optimizers.SGD(0.1))
    losses = learner.fit(dataset(sentences(), 3), epochs=2, verbose=0).history["loss"]
    assert losses[1] < losses[0]
    assert np.isfinite(learner.evaluate(dataset(sentences()), verbose=0)).all()


def test_fine_tuning_learns_embeddings():
    learner = FineTuning(bag(), classes=6)
    gradients = learner.meta_gradients((sentences()[0]["support_x"][0], np.arange(6)))
    assert gradients[0].shape == (WORDS, 4)


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
    assert sum(learner.augmentation.mask.prunable) == 2
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
    state = learner.adapt_state(learner.start(), episode.support_x, episode.support_y)
    assert list(state) == learner.weight_names
