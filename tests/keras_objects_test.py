"""Options of Keras objects, honored as Keras honors them, or refused by name."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, dataset, flat, regression, theta
from tfmgaug import losses
from tfmgaug.learners import FOMAML
from tfmgaug.optimizers import L2SGD
from tfmgaug.regularizers import LabelSmoothing

BATCH = batch()
DRAWS = np.random.default_rng(0)
LOGITS = DRAWS.normal(size=(6, 3)).astype("float32")
LABELS = DRAWS.integers(0, 3, 6).astype("int32")
VALUES = DRAWS.uniform(0.5, 2, size=(6, 3)).astype("float32")


def network(hidden=None, way=3, dtype=None, **options):
    """A network of two dense layers, the first of which is built with options."""
    inputs = keras.Input((4,))
    start = [keras.initializers.GlorotUniform(seed=seed) for seed in (1, 2)]
    hidden = hidden or keras.layers.Dense(
        5, "tanh", kernel_initializer=start[0], dtype=dtype, name="hidden", **options
    )
    head = keras.layers.Dense(way, kernel_initializer=start[1], dtype=dtype, name="head")
    return keras.Model(inputs, head(hidden(inputs)))


def learner(backbone=None, optimizer=None, **options):
    built = FOMAML(backbone or network(), inner_steps=1, measure_before=False, **options)
    if optimizer is not None:
        built.compile(optimizer, run_eagerly=True)
    return built


# Losses.


@keras.saving.register_keras_serializable("test")
class ExpectedError(keras.losses.Loss):
    classification = True

    def call(self, labels, logits):
        labels = keras.ops.one_hot(keras.ops.cast(labels, "int32"), logits.shape[-1])
        return 1 - keras.ops.sum(labels * keras.ops.softmax(logits), axis=-1)


class Squares(keras.losses.Loss):
    classification = False

    def call(self, targets, outputs):
        return keras.ops.sum(keras.ops.square(targets - outputs), axis=-1)


class Undeclared(keras.losses.Loss):
    def call(self, labels, logits):
        return keras.ops.sum(logits, axis=-1)


ONE_HOT = np.eye(3, dtype="float32")[LABELS]
CLASSIFYING = {
    "sparse": (keras.losses.SparseCategoricalCrossentropy(from_logits=True), LABELS),
    "weighted mean": (
        keras.losses.SparseCategoricalCrossentropy(True, reduction="mean_with_sample_weight"),
        LABELS,
    ),
    "mean": (keras.losses.SparseCategoricalCrossentropy(True, reduction="mean"), LABELS),
    "categorical": (keras.losses.CategoricalCrossentropy(from_logits=True), ONE_HOT),
    "smoothed": (keras.losses.CategoricalCrossentropy(True, label_smoothing=0.2), ONE_HOT),
    "focal": (keras.losses.CategoricalFocalCrossentropy(0.3, 1.5, True), ONE_HOT),
    "hinge": (keras.losses.CategoricalHinge(), ONE_HOT),
    "custom": (ExpectedError(), LABELS),
}


@pytest.mark.parametrize("name", CLASSIFYING)
def test_a_loss_on_labels_is_that_of_keras_and_has_an_accuracy(name):
    loss, targets = CLASSIFYING[name]
    found = losses.per_example(losses.get(loss), tf.constant(LABELS), tf.constant(LOGITS))
    assert found.shape == [6]
    np.testing.assert_allclose(np.mean(found), loss(targets, LOGITS), rtol=2e-6)
    built = learner(loss=loss, optimizer="sgd")
    assert set(built.train_step(BATCH)) == {"loss", "accuracy"}
    copy = FOMAML.from_config(built.get_config())
    assert copy.classification
    assert type(copy.loss_fn) is type(loss)


ON_VALUES = [
    keras.losses.CosineSimilarity(),
    keras.losses.Huber(0.3),
    keras.losses.LogCosh(),
    keras.losses.MeanAbsoluteError(),
    keras.losses.MeanAbsolutePercentageError(),
    keras.losses.MeanSquaredError(),
    keras.losses.MeanSquaredLogarithmicError(),
    keras.losses.Poisson(),
    Squares(),
]


@pytest.mark.parametrize("loss", ON_VALUES, ids=lambda loss: type(loss).__name__)
def test_a_loss_on_values_is_that_of_keras(loss):
    outputs = np.abs(LOGITS) + 0.1
    found = losses.per_example(losses.get(loss), tf.constant(VALUES), tf.constant(outputs))
    np.testing.assert_allclose(np.mean(found), loss(VALUES, outputs), rtol=2e-6)
    assert not losses.is_classification(loss)


def test_a_loss_of_sequences_is_a_value_for_each_example():
    targets, outputs = (DRAWS.normal(size=(6, 4, 2)).astype("float32") for _ in range(2))
    loss = losses.get("mean_squared_error")
    found = losses.per_example(loss, tf.constant(targets), tf.constant(outputs))
    np.testing.assert_allclose(found, np.mean((targets - outputs) ** 2, (1, 2)), rtol=1e-5)


sparse = keras.losses.SparseCategoricalCrossentropy
REFUSED_LOSSES = {
    "probabilities": (lambda: sparse(), "from_logits=True"),
    "probabilities, categorical": (lambda: keras.losses.CategoricalCrossentropy(), "from_logits"),
    "probabilities, focal": (lambda: keras.losses.CategoricalFocalCrossentropy(), "from_logits"),
    "sum": (lambda: sparse(True, reduction="sum"), "averages over examples"),
    "no reduction": (lambda: sparse(True, reduction=None), "averages over examples"),
    "ignored class": (lambda: sparse(True, ignore_class=0), "ignore_class=0"),
    "axis": (lambda: keras.losses.CategoricalCrossentropy(True, axis=0), "axis=0"),
    "half precision": (lambda: sparse(True, dtype="bfloat16"), "dtype='float32'"),
    "binary": (lambda: keras.losses.BinaryCrossentropy(True), "two classes too"),
    "binary focal": (lambda: keras.losses.BinaryFocalCrossentropy(), "two classes too"),
    "hinge": (lambda: keras.losses.Hinge(), "CategoricalHinge"),
    "squared hinge": (lambda: keras.losses.SquaredHinge(), "CategoricalHinge"),
    "divergence": (lambda: keras.losses.KLDivergence(), "KLDivergence"),
    "dice": (lambda: keras.losses.Dice(), "Dice"),
    "tversky": (lambda: keras.losses.Tversky(), "Tversky"),
    "circle": (lambda: keras.losses.Circle(), "Circle"),
    "ctc": (lambda: keras.losses.CTC(), "CTC"),
    "custom": (Undeclared, "needs a class attribute `classification`"),
    "unknown name": (lambda: "sparse_categorical_crossentropy", "cross_entropy"),
}


@pytest.mark.parametrize("name", REFUSED_LOSSES)
def test_a_loss_that_would_mean_something_else_is_refused(name):
    make, message = REFUSED_LOSSES[name]
    with pytest.raises(ValueError, match=message):
        losses.get(make())


def test_a_function_is_no_loss_and_the_error_says_how_to_make_it_one():
    for loss in (keras.losses.mean_squared_error, keras.losses.MeanSquaredError):
        with pytest.raises(TypeError, match="subclass"):
            losses.get(loss)


def test_labels_are_no_targets_of_a_regression():
    loss = losses.get("mean_squared_error")
    with pytest.raises(ValueError, match="shaped like the outputs"):
        losses.per_example(loss, tf.constant(LABELS), tf.constant(LOGITS))
    column = losses.per_example(loss, tf.constant(VALUES[:, 0]), tf.constant(LOGITS[:, :1]))
    np.testing.assert_allclose(column, (VALUES[:, 0] - LOGITS[:, 0]) ** 2, rtol=1e-5)


def test_label_smoothing_replaces_a_cross_entropy_alone():
    for loss in (keras.losses.CategoricalHinge(), CLASSIFYING["smoothed"][0]):
        with pytest.raises(ValueError, match="LabelSmoothing"):
            learner(loss=loss, regularizers=[LabelSmoothing()])


# Optimizers.

optimizers = keras.optimizers
OPTIMIZERS = {
    "a name": lambda: "adam",
    "a dictionary": lambda: {"class_name": "SGD", "config": {"learning_rate": 0.2}},
    "weight decay": lambda: optimizers.AdamW(0.1, weight_decay=0.1),
    "clipped norms": lambda: optimizers.SGD(0.1, clipnorm=0.01),
    "clipped values": lambda: optimizers.SGD(0.1, clipvalue=0.01),
    "clipped global norm": lambda: optimizers.SGD(0.1, global_clipnorm=0.01),
    "accumulated gradients": lambda: optimizers.SGD(0.1, gradient_accumulation_steps=2),
    "averaged weights": lambda: optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=2),
    "a schedule": lambda: optimizers.SGD(optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)),
    "orthogonal steps": lambda: optimizers.Muon(0.1),
    "an L2 penalty": lambda: L2SGD(0.1, l2=0.1, momentum=0.9),
}


def stepped(optimizer, variables, gradients):
    """Three steps of Keras's, on variables of their own."""
    for gradient in gradients:
        optimizer.apply([tf.convert_to_tensor(g) for g in gradient], variables)
    return flat(variables)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_outer_step_is_that_of_the_optimizer(name):
    built = learner(optimizer=OPTIMIZERS[name]())
    copies = [keras.Variable(v.numpy(), name=v.name) for v in built.meta_variables]
    reference = optimizers.get(OPTIMIZERS[name]())
    gradients = []
    for _ in range(3):
        gradients.append(list(built.meta_gradients(BATCH).values()))
        built.train_step(BATCH)
    np.testing.assert_array_equal(flat(theta(built)), stepped(reference, copies, gradients))


def test_several_optimizers_share_the_weights_by_name():
    parts = optimizers.OptimizerMap(optimizers.SGD(0.1), {"head/.*": optimizers.SGD(0.5)})
    built = learner(optimizer=optimizers.MultiOptimizer(parts))
    before, gradients = flat(theta(built)), built.meta_gradients(BATCH)
    built.train_step(BATCH)
    moved = flat([(0.5 if "head" in name else 0.1) * g for name, g in gradients.items()])
    np.testing.assert_allclose(flat(theta(built)), before - moved, rtol=1e-6, atol=1e-7)


def test_averaged_weights_are_those_of_each_weight_when_training_ends():
    built = FOMAML(network(), inner_steps=1, learn_inner_rates="layer")
    built.compile(optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5), run_eagerly=True)
    built.fit(dataset(BATCH, 2), verbose=0)
    averages = built.optimizer._model_variables_moving_average
    np.testing.assert_array_equal(flat(theta(built)), flat(averages))


REFUSED_OPTIMIZERS = {
    "a scaled loss": lambda: optimizers.LossScaleOptimizer(optimizers.SGD()),
    "a loss scale factor": lambda: optimizers.SGD(loss_scale_factor=8.0),
    "among several": lambda: optimizers.MultiOptimizer(
        optimizers.OptimizerMap(optimizers.SGD(), {}), loss_scale_factor=8.0
    ),
    "none": lambda: None,
    "a list": lambda: [optimizers.SGD()],
}


@pytest.mark.parametrize("name", REFUSED_OPTIMIZERS)
def test_an_optimizer_that_would_take_other_steps_is_refused(name):
    with pytest.raises(ValueError, match="optimizer"):
        learner().compile(REFUSED_OPTIMIZERS[name]())


@pytest.mark.parametrize("rule", [optimizers.SGD, L2SGD])
def test_callbacks_change_the_rate_of_the_next_epoch(rule):
    built = learner(optimizer=rule(0.1))
    weights, gradients = [flat(theta(built))], []
    note = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: gradients.append(flat(built.meta_gradients(BATCH))),
        on_epoch_end=lambda *_: weights.append(flat(theta(built))),
    )
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, _: [0.1, 0.4, 0.4][epoch])
    plateau = keras.callbacks.ReduceLROnPlateau("loss", 0.5, patience=1, min_delta=100)
    built.fit(dataset(BATCH), epochs=2, verbose=0, callbacks=[schedule, note])
    built.fit(dataset(BATCH), epochs=3, verbose=0, callbacks=[plateau, note])
    for step, rate in enumerate([0.1, 0.4, 0.4, 0.4, 0.2]):
        expected = weights[step] - rate * gradients[step]
        np.testing.assert_allclose(weights[step + 1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stop", [keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau])
@pytest.mark.parametrize("monitor", ["val_accuracy", "val_loss", "accuracy_before", "loss"])
def test_callbacks_know_which_way_is_better(stop, monitor):
    built = FOMAML(network(), inner_steps=1)
    built.compile("sgd", run_eagerly=True)
    callback = stop(monitor)
    built.fit(
        dataset(BATCH), validation_data=dataset(BATCH), epochs=2, verbose=0, callbacks=[callback]
    )
    expected = keras.ops.greater if "accuracy" in monitor else keras.ops.less
    assert callback.monitor_op is expected


# Policies.


@pytest.fixture
def policy():
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", ["mixed_float16", "float16", "bfloat16"])
def test_a_global_policy_changes_no_step_of_a_network_built_before(name, policy):
    expected = learner(optimizer=optimizers.SGD(0.1))
    built = network()
    policy(name)
    built = learner(built, optimizer=optimizers.SGD(0.1))
    for one in (expected, built):
        one.train_step(BATCH)
    np.testing.assert_array_equal(flat(theta(built)), flat(theta(expected)))


HALF = keras.dtype_policies.DTypePolicyMap(default_policy="mixed_float16")


@pytest.mark.parametrize(
    "dtype", ["float16", "mixed_float16", HALF], ids=["float16", "mixed_float16", "map"]
)
def test_float16_is_refused(dtype):
    with pytest.raises(ValueError, match="float16"):
        learner(network(dtype=dtype) if isinstance(dtype, str) else mapped())


def mapped():
    return network(keras.layers.Dense(5, dtype=HALF, name="hidden"))


def test_losses_and_gradients_of_mixed_bfloat16_are_float32():
    built = learner(network(dtype="mixed_bfloat16"), optimizer="sgd")
    gradients, measures = built.meta_gradients(BATCH, with_measures=True)
    assert {tensor.dtype for tensor in [*gradients.values(), measures["loss"]]} == {tf.float32}
    exact = flat(learner().meta_gradients(BATCH))
    np.testing.assert_allclose(flat(gradients), exact, atol=0.02 * np.abs(exact).max())


# Layers.


@keras.saving.register_keras_serializable("test")
class AddsLoss(keras.layers.Layer):
    def call(self, x):
        self.add_loss(keras.ops.mean(x))
        return x


def lora(dense):
    dense.build((None, 4))
    dense.enable_lora(2)
    return dense


def quantized(dense):
    dense.build((None, 4))
    dense.quantize("int8")
    return dense


def masked():
    words = keras.Input((3,))
    embedded = keras.layers.Embedding(4, 5, mask_zero=True)(words)
    return keras.Model(words, keras.layers.Dense(3)(embedded))


def normalized():
    inputs = keras.Input((4,))
    layer = keras.layers.BatchNormalization(gamma_regularizer="l2", name="norm")
    return keras.Model(inputs, keras.layers.Dense(3)(layer(inputs)))


REFUSED_LAYERS = {
    "activity": (lambda: network(activity_regularizer="l2"), "'hidden'"),
    "activity layer": (lambda: network(keras.layers.ActivityRegularization(0.1)), "activity"),
    "added loss": (lambda: network(AddsLoss(name="adds")), "'adds'"),
    "normalization": (normalized, "gamma"),
    "lora": (lambda: network(lora(keras.layers.Dense(5, name="hidden"))), "LoRA"),
    "quantized": (lambda: network(quantized(keras.layers.Dense(5, name="hidden"))), "int8"),
}


@pytest.mark.parametrize("name", REFUSED_LAYERS)
def test_a_layer_that_asks_for_what_learners_do_not_do_is_refused(name):
    make, message = REFUSED_LAYERS[name]
    with pytest.raises(ValueError, match=message):
        learner(make())


def test_outputs_that_keras_would_mask_are_refused():
    with pytest.raises(ValueError, match="have a mask"):
        learner(masked(), loss="mean_squared_error")


def test_frozen_layers_stay_and_their_penalties_cost_nothing():
    backbone = network(kernel_regularizer="l2", trainable=False)
    built = learner(backbone, optimizer=optimizers.SGD(0.1))
    before = flat(backbone.get_layer("hidden").variables)
    built.train_step(BATCH)
    np.testing.assert_array_equal(flat(backbone.get_layer("hidden").variables), before)
    assert [v.path for v in built.meta_variables] == ["head/kernel", "head/bias"]


def test_a_regression_has_no_accuracy_under_another_loss():
    inputs = keras.Input((1,))
    built = learner(keras.Model(inputs, keras.layers.Dense(1)(inputs)), "sgd", loss=Squares())
    assert set(built.train_step(regression())) == {"loss"}
