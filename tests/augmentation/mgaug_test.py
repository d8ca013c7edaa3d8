import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import (
    batch,
    dataset,
    flat,
    images,
    scatter,
    small_conv,
    smooth_conv,
    smooth_mlp,
    task,
    theta,
)
from tfmgaug import MGAug
from tfmgaug.engine.context import Context
from tfmgaug.learners import FOMAML, MAML, ProtoNet
from tfmgaug.masks import CatfishMask, ParameterMask, WidthMask
from tfmgaug.masks.mask import Subnetwork
from tfmgaug.randomness import fold, key

MASKS = {
    "width": lambda: WidthMask((0.0, 0.5)),
    "parameter": lambda: ParameterMask((0.0, 0.5)),
    "catfish": lambda: CatfishMask((0.0, 0.3)),
    "catfish by meta-gradient": lambda: CatfishMask((0.0, 0.3), score="meta_gradient"),
}


def learner(kind=FOMAML, augmentation=None, seed=7):
    backbone = smooth_mlp(way=None if kind is ProtoNet else 3)
    options = {} if kind is ProtoNet else {"inner_steps": 2, "inner_learning_rate": 0.3}
    return scatter(kind(backbone, augmentation=augmentation, seed=seed, **options))


def pruning(learner, episode, number, step=0):
    """The sub-network that the mask's own draw gives."""
    mask, weights = learner.augmentation.mask, theta(learner)
    own_key = fold(key(learner.seed), step, episode.index, "subnetwork", number)
    if mask.score == "query_loss" and learner.inner_steps:
        scores = learner.weight_gradient(weights, episode)[0]
    else:
        scores = task_gradient(learner, episode).gradients
    subnetwork = Subnetwork(number, episode.index, mask.rate(number, own_key), own_key)
    masks = mask.draw(weights, scores, subnetwork)
    return functools.partial(mask, masks=masks), masks


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("kind", [FOMAML, MAML, ProtoNet])
def test_gradients_of_subnetworks_add_to_the_full_networks(kind, mask):
    pupil = learner(kind, MGAug(MASKS[mask](), subnetworks=2))
    data = batch(1, first=5)
    by_hand = [task_gradient(pupil, task(data)).gradients]
    for number in range(2):
        prune, _ = pruning(pupil, task(data), number)
        by_hand.append(task_gradient(pupil, task(data), weight_transform=prune).gradients)
    for name, total in pupil.meta_gradients(data).items():
        parts = [gradients[name] for gradients in by_hand]
        np.testing.assert_allclose(total, sum(parts), rtol=1e-9, atol=1e-12)
    assert np.abs(flat(by_hand[1]) - flat(by_hand[0])).max() > 1e-3


@pytest.mark.parametrize("mask", [WidthMask, ParameterMask, CatfishMask])
def test_masks_of_ones_repeat_the_full_network(mask):
    plain, pupil = learner(), learner(augmentation=MGAug(mask(0.0), subnetworks=3))
    found, once = (one.meta_gradients(batch(1)) for one in (pupil, plain))
    assert found.keys() == once.keys()
    for name, gradient in once.items():
        np.testing.assert_allclose(found[name], 4 * gradient, rtol=1e-6)


@pytest.mark.parametrize("mask", [WidthMask, ParameterMask, CatfishMask])
def test_a_mask_of_ones_changes_no_bit_of_the_forward_pass(mask):
    pupil = learner(MAML, MGAug(mask(0.0)))
    prune, _ = pruning(pupil, task(batch()), 0)
    queries, contexts = batch()[0]["query_x"][0], (Context(), Context(prune))
    outputs = [pupil.network(theta(pupil), queries, context)[0] for context in contexts]
    np.testing.assert_array_equal(*outputs)
    # Gradients add up in another order.
    plain = task_gradient(pupil, task(batch())).gradients
    masked = task_gradient(pupil, task(batch()), weight_transform=prune).gradients
    np.testing.assert_allclose(flat(masked), flat(plain), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", [name for name in MASKS if name != "width"])
def test_exactly_the_pruned_entries_receive_no_meta_gradient(name):
    pupil = learner(MAML, MGAug(MASKS[name]()))
    prune, masks = pruning(pupil, task(batch()), 0)
    gradients = task_gradient(pupil, task(batch()), weight_transform=prune).gradients
    for mask_name, mask in masks.items():
        np.testing.assert_array_equal(gradients[mask_name].numpy() != 0, mask == 1)
    assert sum(np.sum(1 - mask) for mask in masks.values()) > 5


def test_pruned_entries_do_not_move_in_the_inner_loop():
    pupil = learner(MAML, MGAug(ParameterMask(0.25)))
    episode = task(batch())
    prune, masks = pruning(pupil, episode, 0)
    initial = pupil.initial_state()
    state = pupil.adapt_state(initial, episode.support_x, episode.support_y, Context(prune))
    for name, mask in masks.items():
        np.testing.assert_array_equal((state[name] - initial[name]).numpy() != 0, mask == 1)


def test_draws_depend_on_seed_step_and_episode():
    def gradient(seed=7, step=0, first=0):
        pupil = learner(augmentation=MGAug(ParameterMask(0.5), subnetworks=1), seed=seed)
        pupil.step.assign(step)
        return flat(pupil.meta_gradients(batch(1, first=first)))

    np.testing.assert_array_equal(gradient(), gradient())
    for other in (gradient(seed=8), gradient(step=1), gradient(first=1)):
        assert np.abs(other - gradient()).max() > 1e-3


def test_subnetworks_join_in_at_the_start_step_without_a_new_trace():
    pupil = learner(augmentation=MGAug(ParameterMask(0.5), subnetworks=2, start_step=2))
    always, plain = learner(augmentation=MGAug(ParameterMask(0.5), subnetworks=2)), learner()
    traces = []

    @tf.function(autograph=False)
    def gradients(data):
        traces.append(1)
        return pupil.meta_gradients(data)

    for step in range(4):
        for one in (pupil, always):
            one.step.assign(step)
        expected = (plain if step < 2 else always).meta_gradients(batch())
        np.testing.assert_allclose(flat(gradients(batch())), flat(expected), rtol=1e-8, atol=1e-12)
    assert len(traces) == 1


@pytest.mark.parametrize("mask", [CatfishMask, ParameterMask, WidthMask])
def test_nothing_in_a_step_makes_tasks_wait_for_each_other(mask):
    # An operation with side effects in a loop's body would: the next iteration comes after it.
    augmented = FOMAML(small_conv(), augmentation=MGAug(mask(), resolutions=[16]))
    graph = tf.function(augmented.meta_gradients).get_concrete_function(images()).graph
    nodes = [*graph.as_graph_def().node]
    for function in graph.as_graph_def().library.function:
        nodes += function.node_def
    ordered = {node.op for node in nodes if op_def_registry.get(node.op).is_stateful}
    assert ordered <= {"ReadVariableOp"}  # before the loop, which would be a "While" otherwise


def test_fit_counts_the_steps():
    mask = ParameterMask(0.5)
    pupil = learner(augmentation=MGAug(mask, start_step=2))
    plain = learner()
    for one in (pupil, plain):
        one.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
        one.fit(dataset(batch(), repeat=2), verbose=0)
    np.testing.assert_allclose(flat(theta(pupil)), flat(theta(plain)), rtol=1e-10)
    for one in (pupil, plain):
        one.fit(dataset(batch()), verbose=0)
    assert np.abs(flat(theta(pupil)) - flat(theta(plain))).max() > 1e-3
    assert int(pupil.step.numpy()) == 3


def large_images():
    draws = np.random.default_rng(0)
    inputs, labels = images(1)
    x = {n: draws.integers(0, 256, (1, 6, 32, 32, 1), "uint8") for n in ("support_x", "query_x")}
    return {**inputs, **x}, labels


def interpolated(x, size):
    """Bilinear resizing with aligned corners, one axis after the other."""
    places = np.linspace(0, x.shape[1] - 1, size)
    for axis in (1, 2):
        rows = [
            np.take(x, np.floor(p).astype(int), axis) * (1 - p % 1)
            + np.take(x, np.ceil(p).astype(int), axis) * (p % 1)
            for p in places
        ]
        x = np.stack(rows, axis)
    return x


def test_subnetworks_see_lower_resolutions():
    backbone = smooth_conv(way=None, size=32)
    augmentation = MGAug(WidthMask(0.0), subnetworks=1, resolutions=[16])
    pupil = ProtoNet(backbone, augmentation=augmentation)
    data = large_images()
    x = {n: interpolated(data[0][n][0], 16)[None] for n in ("support_x", "query_x")}
    small = ({**data[0], **x}, data[1])
    full, own = (task_gradient(pupil, task(d)).gradients for d in (data, small))
    found = pupil.meta_gradients(data)
    np.testing.assert_allclose(flat(found), flat(full) + flat(own), rtol=1e-4, atol=1e-6)
    assert np.abs(flat(own) - flat(full)).max() > 1e-3


def test_subnetworks_have_given_sizes_of_images_and_given_rates():
    class Sized(MGAug):
        def draw(self, subnetwork):
            return tf.constant([24, 16])[subnetwork.number]

    class Rated(ParameterMask):
        def rate(self, subnetwork, key):
            return tf.constant([0.25, 0.5], tf.float64)[subnetwork]

    def record(episode, prune, key):
        weights = {name: tf.ones_like(weight) for name, weight in theta(pupil).items()}
        seen.append((episode, prune(weights)["conv2_kernel"].numpy()))
        return {}, 0.0

    augmentation, seen = Sized(Rated(), subnetworks=2, resolutions=[16, 24, 32]), []
    pupil = ProtoNet(smooth_conv(way=None, size=32), augmentation=augmentation)
    episode = task(large_images())
    augmentation.augment({}, record, theta(pupil), None, episode, tf.constant(0), key(0))
    for (changed, kept), size, rate in zip(seen, (24, 16), (0.25, 0.5), strict=True):
        expected = interpolated(episode.query_x.numpy().astype(float), size)
        np.testing.assert_allclose(changed.query_x, expected, rtol=1e-5, atol=1e-3)
        np.testing.assert_array_equal(kept.mean(), 1 - rate)


def test_one_graph_serves_all_resolutions():
    augmentation = MGAug(ParameterMask(), subnetworks=2, resolutions=[16, 24, 32])
    pupil = FOMAML(smooth_conv(size=32), inner_steps=1, augmentation=augmentation)
    pupil.compile()
    history = pupil.fit(dataset(large_images(), repeat=3), verbose=0).history
    assert np.isfinite(history["loss"]).all()


def test_backbones_of_fixed_size_refuse_resolutions_by_name():
    backbone = keras.Sequential(
        [
            keras.Input([16, 16, 1]),
            keras.layers.Conv2D(2, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(3),
        ],
        name="fixed",
    )
    with pytest.raises(ValueError, match="backbone 'fixed' with inputs"):
        FOMAML(backbone, augmentation=MGAug(ParameterMask(), resolutions=[8, 16]))
    with pytest.raises(ValueError, match="resolution 48"):
        FOMAML(small_conv(), augmentation=MGAug(ParameterMask(), resolutions=[16, 48]))
    with pytest.raises(ValueError, match="resolution 12.*too small"):
        FOMAML(small_conv(), augmentation=MGAug(ParameterMask(), resolutions=[12]))
    with pytest.raises(ValueError, match="resolution 12.*nothing is left"):
        ProtoNet(small_conv(way=None), augmentation=MGAug(ParameterMask(), resolutions=[12]))


def test_sparsity_is_that_of_the_highest_rate():
    pupil = FOMAML(small_conv(filters=8), augmentation=MGAug(CatfishMask((0.0, 0.25))))
    assert pupil.mask_sparsity() == {f"conv{n}_kernel": 0.25 for n in (1, 2, 3, 4)}
    assert FOMAML(small_conv()).mask_sparsity() == {}


def test_configuration_goes_round():
    mgaug = MGAug(CatfishMask((0.1, 0.2)), subnetworks=2, start_step=9, resolutions=(16, 32))
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(mgaug))
    assert copy.mask.rates == (0.1, 0.2)
    assert copy.get_config() == mgaug.get_config()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"subnetworks": 0}, "subnetworks"),
        ({"start_step": -1}, "start_step"),
        ({"resolutions": []}, "resolutions"),
        ({"resolutions": [0, 16]}, "resolutions"),
    ],
)
def test_impossible_arguments_are_refused(options, name):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        MGAug(ParameterMask(), **options)


def test_what_is_no_mask_is_refused():
    with pytest.raises(TypeError, match="must be a tfmgaug.masks.Mask"):
        MGAug("catfish")


def test_an_augmentation_serves_one_learner():
    augmentation = MGAug(ParameterMask())
    learner(augmentation=augmentation)
    with pytest.raises(ValueError, match="serves one learner"):
        learner(augmentation=augmentation)
