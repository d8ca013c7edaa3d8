"""Settings that change after building: what comes next equals a learner built so, or is refused."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import tfmgaug
from tests.helpers.tasks import dataset, flat, theta
from tests.helpers.toys import toy_classes
from tests.keras_objects_test import BATCH, network
from tfmgaug import MGAug
from tfmgaug.analysis.frozen_tasks import FrozenTasks
from tfmgaug.backbones import mlp
from tfmgaug.data import EpisodeSampler
from tfmgaug.engine.inner_optimizers import SGD
from tfmgaug.learners import (
    FOMAML,
    MAML,
    FineTuning,
    MetaOptNet,
    MetaTicket,
    ProtoNet,
    Reptile,
)
from tfmgaug.masks import MagnitudeMask, ParameterMask
from tfmgaug.regularizers import GradDrop

SUPPORT = [BATCH[0][name][0] for name in ("support_x", "support_y")]
QUERY = BATCH[0]["query_x"][0]


def normalized():
    return mlp(3, (4,), hidden=(5,), dtype="float32")


CHANGES = {
    "inner_steps": (MAML, {}, 3),
    "inner_learning_rate": (MAML, {}, 0.5),
    "rates of layers": (MAML, {}, [0.5, 0.1, 0.2]),
    "first_order": (MAML, {}, True),
    "second order": (MAML, {"first_order": True}, False),
    "recompute_inner_steps": (MAML, {}, True),
    "statistics": (MAML, {}, "support"),
    "running statistics": (MAML, {}, "running"),
    "measure_before": (MAML, {}, False),
    "parallel_tasks": (MAML, {}, 1),
    "steps of Reptile": (Reptile, {}, 4),
    "inner_batch": (Reptile, {}, 2),
    "evaluation_steps": (Reptile, {}, 7),
    "rate of Reptile": (Reptile, {}, 0.01),
}
ATTRIBUTES = {
    "rates of layers": "inner_learning_rate",
    "second order": "first_order",
    "running statistics": "statistics",
    "steps of Reptile": "inner_steps",
    "rate of Reptile": "inner_learning_rate",
}


def build(kind, **options):
    built = kind(normalized(), **{"inner_steps": 2, **options})
    built.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    return built


def results(built):
    """All that a setting could change: prediction, training, evaluation."""
    predicted = built.adapt(*SUPPORT).predict(QUERY)
    logs = built.fit(dataset(BATCH), verbose=0).history
    measured = built.evaluate(dataset(BATCH), verbose=0, return_dict=True)
    return {"predicted": predicted, "weights": flat(theta(built)), **logs, **measured}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_setting_gives_what_a_learner_built_so_gives(name):
    kind, before, value = CHANGES[name]
    attribute = ATTRIBUTES.get(name, name)
    expected = results(build(kind, **{**before, attribute: value}))
    built = build(kind, **before)
    start = built.get_weights()
    results(built)
    setattr(built, attribute, value)
    built.set_weights(start)
    found = results(built)
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_array_equal(found[key], expected[key], err_msg=key)
    assert built.get_config()[attribute] == value


def test_graphs_of_keras_are_traced_again():
    expected, built = (FOMAML(network(), inner_steps=n, measure_before=False) for n in (3, 1))
    for one in (expected, built):
        one.compile(keras.optimizers.SGD(0.1))
    start = built.get_weights()
    built.fit(dataset(BATCH), verbose=0)
    built.inner_steps = 3
    built.set_weights(start)
    for one in (expected, built):
        one.fit(dataset(BATCH), verbose=0)
    np.testing.assert_array_equal(flat(theta(built)), flat(theta(expected)))


def test_a_callback_may_change_a_setting_within_fit():
    built = MAML(network(), inner_steps=1, first_order=True, measure_before=False)
    built.compile(keras.optimizers.SGD(0.1))
    weights = []

    def begin(epoch, logs=None):
        weights.append(flat(theta(built)))
        built.first_order = epoch == 0

    callback = keras.callbacks.LambdaCallback(on_epoch_begin=begin)
    built.fit(dataset(BATCH), epochs=2, verbose=0, callbacks=[callback])
    after = flat(theta(built))
    for variable, value in zip(built.meta_variables, _divided(weights[1], built.meta_variables)):
        variable.assign(value)
    expected = weights[1] - 0.1 * flat(built.meta_gradients(BATCH))
    np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-7)


def _divided(values, variables):
    ends = np.cumsum([np.prod(v.shape) for v in variables]).astype(int)
    return [part.reshape(v.shape) for part, v in zip(np.split(values, ends[:-1]), variables)]


def test_evaluation_and_analyses_see_a_changed_setting():
    sampler = EpisodeSampler(toy_classes(size=4), way=3, shot=1, query=2, tasks=2)
    backbone = mlp(3, (4, 4, 1), hidden=(5,), seed=1)
    built, expected = (FOMAML(backbone, inner_steps=1, inner_learning_rate=r) for r in (0.1, 0.5))
    first = tfmgaug.evaluate(built, sampler, episodes=2)
    built.inner_learning_rate = 0.5
    again, other = (tfmgaug.evaluate(one, sampler, episodes=2) for one in (built, expected))
    np.testing.assert_array_equal(again.loss["support"], other.loss["support"])
    assert not np.array_equal(first.loss["support"], again.loss["support"])


def test_a_measure_that_was_traced_is_traced_again():
    sampler = EpisodeSampler(toy_classes(size=4), way=3, shot=1, query=2, tasks=2)
    backbone = mlp(3, (4, 4, 1), hidden=(5,), seed=1)
    built, expected = (FOMAML(backbone, inner_steps=1, inner_learning_rate=r) for r in (0.1, 0.5))

    def measure(one):
        def losses(theta, episode):
            return {"loss": one.step_outcomes(episode)["loss"][-1]}

        return FrozenTasks(one, losses, {"loss": tf.float32}, sampler, 2)

    tasks = measure(built)
    first = tasks.measure()[0]["loss"]
    built.inner_learning_rate = 0.5
    again, other = tasks.measure()[0]["loss"], measure(expected).measure()[0]["loss"]
    np.testing.assert_array_equal(again, other)
    assert not np.array_equal(first, again)


def reptile():
    return Reptile(network(), inner_optimizer=SGD(), carry_slots=True, parallel_tasks=1)


def augmented():
    return FOMAML(network(), augmentation=MGAug(ParameterMask(0.4)))


REFUSED = {
    "backbone": (lambda: FOMAML(network()), lambda one: network()),
    "loss_fn": (lambda: FOMAML(network()), lambda one: keras.losses.MeanSquaredError()),
    "loss": (lambda: FOMAML(network()), lambda one: "mean_squared_error"),
    "seed": (lambda: FOMAML(network()), lambda one: 3),
    "regularizers": (lambda: FOMAML(network()), lambda one: [GradDrop()]),
    "augmentation": (augmented, lambda one: None),
    "magnitude_mask": (lambda: FOMAML(network()), lambda one: MagnitudeMask(0.5)),
    "learn_inner_rates": (lambda: MAML(network()), lambda one: "layer"),
    "inner_learning_rate": (lambda: MAML(network(), learn_inner_rates="layer"), lambda one: 0.2),
    "inner_steps": (lambda: ProtoNet(network(way=5)), lambda one: 3),
    "way": (lambda: FOMAML(network()), lambda one: 4),
    "classification": (lambda: FOMAML(network()), lambda one: False),
    "first_order": (lambda: FOMAML(network()), lambda one: False),
    "classes": (lambda: FineTuning(network(), classes=6), lambda one: 7),
    "distance": (lambda: ProtoNet(network()), lambda one: "cosine"),
    "head": (lambda: MetaOptNet(network()), lambda one: one.head),
    "score_mask": (lambda: MetaTicket(network()), lambda one: one.score_mask),
    "parallel_tasks": (reptile, lambda one: 2),
    "inner_optimizer": (reptile, lambda one: SGD(0.9)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_setting_that_can_not_change_is_refused_by_name(name):
    make, value = REFUSED[name]
    built = make()
    with pytest.raises(ValueError, match=f"`{name}`"):
        setattr(built, name, value(built))
    assert built.get_config() == type(built).from_config(built.get_config()).get_config()


BAD = {
    "inner_steps": (0, "int >= 1"),
    "inner_learning_rate": ([0.1], "one for each"),
    "statistics": ("batch", "statistics"),
    "parallel_tasks": (0, "int >= 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_and_nothing_changes(name):
    value, message = BAD[name]
    built = FOMAML(network(), inner_steps=1)
    before, config = built.adapt(*SUPPORT).predict(QUERY), built.get_config()
    with pytest.raises(ValueError, match=message):
        setattr(built, name, value)
    assert built.get_config() == config
    np.testing.assert_array_equal(built.adapt(*SUPPORT).predict(QUERY), before)


def test_second_order_is_refused_where_it_would_be_inexact():
    inputs = keras.Input((4,))
    hidden = keras.layers.LayerNormalization(name="norm")(keras.layers.Dense(4)(inputs))
    built = MAML(keras.Model(inputs, keras.layers.Dense(3)(hidden)), first_order=True)
    with pytest.raises(ValueError, match="norm"):
        built.first_order = False
    assert built.first_order


PARTS = {
    "rate": (lambda one: one.regularizers[0], 0.9),
    "subnetworks": (lambda one: one.augmentation, 1),
    "rates": (lambda one: one.augmentation.mask, (0.0, 0.9)),
    "start_step": (lambda one: one.augmentation, 10),
}


@pytest.mark.parametrize("name", PARTS)
def test_the_parts_of_a_learner_stay_as_it_was_built_with(name):
    built = FOMAML(network(), regularizers=[GradDrop(0.1)], augmentation=MGAug(ParameterMask(0.2)))
    part, value = PARTS[name]
    with pytest.raises(ValueError, match=f"`{name}` of .* FOMAML was built with it"):
        setattr(part(built), name, value)
    free = GradDrop(0.1)
    free.rate = 0.2  # of no learner yet


@pytest.mark.parametrize(
    "door", ["adapt", "fit", "evaluate", "meta_gradients", "measure", "export"]
)
def test_layers_that_are_frozen_later_are_refused(door, tmp_path):
    built = FOMAML(network(), inner_steps=1)
    built.compile("sgd", run_eagerly=True)
    doors = {
        "adapt": lambda: built.adapt(*SUPPORT),
        "fit": lambda: built.fit(dataset(BATCH), verbose=0),
        "evaluate": lambda: built.evaluate(dataset(BATCH), verbose=0),
        "meta_gradients": lambda: built.meta_gradients(BATCH),
        "export": lambda: built.export(tmp_path / "export"),
        "measure": lambda: tfmgaug.evaluate(built, toy_classes(), way=3, query=2, episodes=2),
    }
    if door not in ("measure", "export"):  # which trace graphs
        doors[door]()
    built.backbone.get_layer("hidden").trainable = False
    with pytest.raises(ValueError, match=r"build another .*FOMAML\(.*hidden/kernel"):
        doors[door]()
    again = FOMAML(built.backbone, inner_steps=1)
    assert [v.path for v in again.meta_variables] == ["head/kernel", "head/bias"]
    again.adapt(*SUPPORT)
