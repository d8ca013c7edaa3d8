"""Penalties and constraints of weights that layers were built with."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, dataset, flat, scatter, smooth_mlp, theta
from tests.keras_objects_test import BATCH, learner, network
from tfmgaug import MGAug
from tfmgaug.analysis import check_gradients
from tfmgaug.layers import BatchNormalization
from tfmgaug.learners import (
    ANIL,
    BOIL,
    CAVIA,
    FOMAML,
    MAML,
    FineTuning,
    MetaTicket,
    ProtoNet,
    Reptile,
)
from tfmgaug.masks import ParameterMask

LEARNERS = {
    "MAML": lambda net: MAML(net(), inner_steps=2),
    "FOMAML": lambda net: FOMAML(net(), inner_steps=2),
    "ANIL": lambda net: ANIL(net(), inner_steps=1),
    "BOIL": lambda net: BOIL(net(), inner_steps=1),
    "ProtoNet": lambda net: ProtoNet(net(way=None)),
    "CAVIA": lambda net: CAVIA(
        net(normalization=False, context=2), inner_steps=1, clip_task_gradients=1e-3
    ),
    "sub-networks": lambda net: FOMAML(
        net(), inner_steps=1, augmentation=MGAug(ParameterMask(0.4), subnetworks=2)
    ),
    "learned rates": lambda net: MAML(net(), inner_steps=1, learn_inner_rates="parameter"),
}


def penalized(**options):
    """A network all of whose kernels have an L2 penalty of 1."""
    backbone = smooth_mlp(**options)
    for variable in backbone.trainable_variables:
        if len(variable.shape) > 1:
            variable.regularizer = keras.regularizers.L2(1.0)
    return backbone


@pytest.mark.parametrize("name", LEARNERS)
def test_a_penalty_adds_twice_the_weights_to_the_meta_gradient_once(name):
    plain, built = (scatter(LEARNERS[name](net)) for net in (smooth_mlp, penalized))
    (expected, measures), (found, others) = (
        one.meta_gradients(batch(3), with_measures=True) for one in (plain, built)
    )
    for name, variable in built.named(built.meta_variables).items():
        added = 2 * variable if variable.regularizer is not None else tf.zeros_like(variable)
        np.testing.assert_allclose(found[name] - expected[name], added, rtol=1e-10, atol=1e-13)
    assert any(v.regularizer is not None for v in built.meta_variables)
    np.testing.assert_array_equal(others["loss"], measures["loss"])  # it is reported without


def test_finite_differences_agree_with_a_penalty():
    assert check_gradients(scatter(LEARNERS["MAML"](penalized)), batch()).relative_error < 1e-7


def test_the_inner_loop_does_not_see_a_penalty():
    plain, built = (scatter(LEARNERS["FOMAML"](net)) for net in (smooth_mlp, penalized))
    support = [BATCH[0][name][0] for name in ("support_x", "support_y")]
    states = [one.adapt(*support).state for one in (plain, built)]
    for name in plain.network.variables:
        np.testing.assert_array_equal(states[1][name], states[0][name])


def test_fine_tuning_penalizes_what_it_trains():
    x, y = np.random.default_rng(0).normal(size=(6, 4)), np.arange(6, dtype="int32")
    plain, built = (FineTuning(net(), classes=6) for net in (network, l2_network))
    expected, found = (one.meta_gradients((x, y)) for one in (plain, built))
    kernels = {
        "hidden_kernel": built.backbone.get_layer("hidden").kernel,
        "training_head_kernel": built.training_head.kernel,
    }
    for name, kernel in kernels.items():
        added = found[name] - expected[name]
        np.testing.assert_allclose(added, 2 * kernel, rtol=1e-4, atol=1e-6)


def l2_network(**options):
    regularizer = keras.regularizers.L2(1.0)
    backbone = network(kernel_regularizer=regularizer, **options)
    layers = [keras.layers.Dense(3, kernel_regularizer=regularizer, name="head")]
    middle = backbone.get_layer("hidden").output
    whole = keras.Model(backbone.inputs, layers[0](middle))
    whole.get_layer("head").set_weights(backbone.get_layer("head").get_weights())
    return whole


def test_penalties_of_all_kinds_and_keras_own_total_agree():
    options = {
        "kernel_regularizer": keras.regularizers.L1L2(0.1, 0.2),
        "bias_regularizer": keras.regularizers.L1(0.3),
    }
    built, plain = scatter(learner(network(**options))), scatter(learner())
    with tf.GradientTape() as tape:
        total = tf.add_n(built.backbone.losses)
    variables = built.named(built.meta_variables)
    expected = tape.gradient(total, {name: v.value for name, v in variables.items()})
    whole, without = (one.meta_gradients(BATCH) for one in (built, plain))
    for name, gradient in expected.items():
        added = whole[name] - without[name]
        np.testing.assert_allclose(added, 0 if gradient is None else gradient, atol=1e-6)


REFUSED = {
    "Reptile": lambda: Reptile(l2_network()),
    "MetaTicket": lambda: MetaTicket(l2_network()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_penalty_that_would_do_nothing_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} doesn't have.*hidden/kernel"):
        REFUSED[name]()


def test_a_constraint_of_random_weights_is_refused():
    with pytest.raises(ValueError, match="hidden/kernel"):
        MetaTicket(network(kernel_constraint="max_norm"))


@pytest.mark.parametrize("kind", [FOMAML, Reptile])
def test_a_constraint_holds_after_each_outer_step_and_not_in_the_inner_loop(kind):
    limit = keras.constraints.MaxNorm(0.05)
    built = kind(network(kernel_constraint=limit), inner_steps=1, inner_learning_rate=0.1)
    built.compile(keras.optimizers.SGD(0.1))
    kernel = built.backbone.get_layer("hidden").kernel
    free = kernel - 0.1 * built.meta_gradients(BATCH)["hidden_kernel"]
    built.fit(dataset(BATCH), verbose=0)
    np.testing.assert_allclose(kernel, limit(free), rtol=1e-5)
    assert np.linalg.norm(kernel, axis=0).max() < 0.051
    support = [BATCH[0][name][0] for name in ("support_x", "support_y")]
    adapted = built.adapt(*support).state["hidden_kernel"]
    assert np.linalg.norm(adapted, axis=0).max() > 0.051


def test_a_penalty_survives_saving(tmp_path):
    built = learner(l2_network(), "sgd")
    built.save(tmp_path / "learner.keras")
    copy = keras.saving.load_model(tmp_path / "learner.keras")
    expected, found = (flat(one.meta_gradients(BATCH)) for one in (built, copy))
    np.testing.assert_array_equal(found, expected)
    assert copy.meta_variables[0].regularizer is not None
    assert not np.allclose(found, flat(learner().meta_gradients(BATCH)))
    assert len(theta(copy)) == 4


def test_normalization_of_this_package_keeps_what_is_set_on_it():
    layer = BatchNormalization(name="norm")
    inputs = keras.Input((4,))
    backbone = keras.Model(inputs, keras.layers.Dense(3)(layer(inputs)))
    layer.gamma.regularizer = keras.regularizers.L2(1.0)
    found = learner(backbone).meta_gradients(BATCH)
    layer.gamma.regularizer = None
    expected = learner(backbone).meta_gradients(BATCH)
    added = found["norm_gamma"] - expected["norm_gamma"]
    np.testing.assert_allclose(added, 2 * layer.gamma, rtol=1e-5)
