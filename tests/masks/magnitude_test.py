import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import batch, dataset, flat, small_conv, smooth_mlp, task
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import replace
from tfmgaug.learners import ANIL, FOMAML, MAML, MetaTicket, ProtoNet, Reptile
from tfmgaug.masks import MagnitudeMask


def backbone(kernels):
    """A network with these kernels, and whatever biases."""
    inputs = x = keras.Input((len(kernels[0]),))
    for kernel in kernels:
        layer = keras.layers.Dense(len(kernel[0]))
        x = layer(x)
        layer.kernel.assign(kernel)
        layer.bias.assign(np.full(len(kernel[0]), 1e-6))
    return keras.Model(inputs, x)


def pruned(kernels, rates):
    network, mask = backbone(kernels), MagnitudeMask(rates)
    mask.attach(Network(network))
    mask.prune()
    return [np.asarray(one) for one in mask.masks], network


def test_the_smallest_entries_of_each_layer_go_the_classifier_included():
    kernels = [[[0.5, -0.1], [-3.0, 0.2]], [[1.0, -9.0], [8.0, 0.01]]]
    masks, network = pruned(kernels, 0.5)
    np.testing.assert_array_equal(masks, [[[1, 0], [1, 0]], [[0, 1], [1, 0]]])
    first, bias, second, _ = (v.numpy() for v in network.trainable_variables)
    np.testing.assert_array_equal(first, [[0.5, 0], [-3.0, 0]])
    np.testing.assert_array_equal(second, [[0, -9.0], [8.0, 0]])
    assert (bias > 0).all()


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.29, 0.3, 1 / 3, 0.5, 0.999])
def test_as_many_entries_are_kept_as_the_rate_leaves(rate):
    kernel = np.random.default_rng(0).normal(size=(10, 10))
    masks, _ = pruned([kernel], rate)
    expected = 100 - int(np.floor(rate * 100 + 1e-9))
    assert masks[0].sum() == expected
    kept, gone = np.abs(kernel)[masks[0] == 1], np.abs(kernel)[masks[0] == 0]
    assert gone.size == 0 or kept.min() >= gone.max()


def test_of_equal_entries_the_later_ones_are_kept():
    masks, _ = pruned([[[1.0, -1.0, 1.0, 1.0, -1.0]]], 0.5)
    np.testing.assert_array_equal(masks[0], [[0, 0, 1, 1, 1]])
    masks, _ = pruned([np.zeros((1, 5))], 0.5)
    assert masks[0].sum() == 3


def test_layers_may_have_rates_of_their_own():
    kernels = [np.arange(1.0, 9).reshape(2, 4), np.arange(1.0, 9).reshape(4, 2)]
    masks, _ = pruned(kernels, [0.25, 0.75])
    assert [mask.sum() for mask in masks] == [6, 2]
    with pytest.raises(ValueError, match="one for each of the 2 kernels.*Received: 3"):
        pruned(kernels, [0.1, 0.2, 0.3])


def test_convolutions_and_their_spatial_head_are_pruned():
    network, mask = small_conv(), MagnitudeMask(0.5)
    mask.attach(Network(network))
    assert len(mask.masks) == 5
    assert mask.kept == (expected := sum(m.shape.num_elements() for m in mask.masks), expected)
    mask.prune()
    assert set(mask.sparsity().values()) == {0.5}


def test_released_entries_are_no_longer_masked():
    network, mask = backbone([np.ones((2, 2))]), MagnitudeMask(0.5)
    mask.attach(Network(network))
    mask.prune()
    mask.release()
    weights = {n: tf.ones(v.shape) for n, v in Network(network).variables.items()}
    np.testing.assert_array_equal(flat(mask(weights)), flat(weights))
    assert (network.trainable_variables[0].numpy() == [[0, 0], [1, 1]]).all()  # as they were left


# On learners.

LEARNERS = {
    "MAML": lambda **options: MAML(smooth_mlp(), inner_steps=2, **options),
    "FOMAML": lambda **options: FOMAML(smooth_mlp(), inner_steps=2, **options),
    "ANIL": lambda **options: ANIL(smooth_mlp(), inner_steps=2, **options),
    "ProtoNet": lambda **options: ProtoNet(smooth_mlp(None), **options),
    "Reptile": lambda **options: Reptile(smooth_mlp(), inner_steps=2, **options),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_no_learner_moves_what_is_pruned_in_no_loop(name):
    learner = LEARNERS[name](magnitude_mask=MagnitudeMask(0.5))
    learner.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    learner.fit(dataset(batch(), repeat=2), verbose=0)  # the optimizer has momentum now
    mask = learner.magnitude_mask
    mask.prune()
    gradients = learner.meta_gradients(batch())
    learner.fit(dataset(batch(), repeat=2), verbose=0)
    episode = task(batch())
    state = learner.adapted_state(episode.support_x, episode.support_y)
    weights = learner.network.params
    kept = mask({name: tf.ones(w.shape, tf.float64) for name, w in weights.items()})
    for tensors in (gradients, weights, replace(weights, state)):
        assert tensors.keys() == kept.keys()
        for name, own in kept.items():
            assert (tensors[name].numpy()[own.numpy() == 0] == 0).all()
            assert (tensors[name].numpy()[own.numpy() == 1] != 0).any()


def test_the_mask_is_saved_with_the_learner_and_holds_in_what_is_loaded(tmp_path):
    learner = LEARNERS["MAML"](magnitude_mask=MagnitudeMask([0.1, 0.5, 0.3]))
    learner.compile()
    learner.magnitude_mask.prune()
    learner.magnitude_mask.phase.assign(3)
    learner.save(tmp_path / "x.keras")
    copy = keras.models.load_model(tmp_path / "x.keras")
    for own, other in zip(learner.magnitude_mask.variables, copy.magnitude_mask.variables):
        np.testing.assert_array_equal(own, other)
    assert copy.magnitude_mask.rates == [0.1, 0.5, 0.3]
    assert int(copy.magnitude_mask.phase) == 3


def test_what_does_not_fit_is_refused():
    for rates in (1.0, -0.1, [0.1, 1.5], []):
        with pytest.raises(ValueError, match="0 <= rate < 1"):
            MagnitudeMask(rates)
    mask = MagnitudeMask(0.5)
    LEARNERS["MAML"](magnitude_mask=mask)
    with pytest.raises(ValueError, match="serves one learner"):
        LEARNERS["MAML"](magnitude_mask=mask)
    with pytest.raises(TypeError, match="must be a MagnitudeMask. Received: 0.5"):
        LEARNERS["MAML"](magnitude_mask=0.5)
    with pytest.raises(ValueError, match="Received: MetaTicket, which learns no weights"):
        MetaTicket(smooth_mlp(), inner_steps=1, magnitude_mask=MagnitudeMask(0.5))
