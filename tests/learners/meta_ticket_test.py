import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tests.helpers.adaptation import adapted, predicted, weights_of
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, dataset, flat, smooth_mlp, task, theta
from tests.learners.gradients_test import assert_gradient_is_exact
from tfmgaug import MGAug
from tfmgaug.analysis.gradient_check import check_gradients
from tfmgaug.analysis.subnetworks import scoring_gradients
from tfmgaug.backbones.initializers import KaimingNormal, PositiveConstant, SignedConstant
from tfmgaug.callbacks import TensorBoard
from tfmgaug.engine.params import select
from tfmgaug.learners import MAML, MetaTicket, MetaTicketBOIL
from tfmgaug.masks import CatfishMask, ParameterMask, ScoreMask, WidthMask, score
from tfmgaug.masks.mask import Subnetwork
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import EntropyTAML, GradDrop, MetaMix, MRActivations, MRWeights

RATE = 0.3


def learner(kind=MetaTicket, sparsity=0.4, dtype="float64", **options):
    settings = {"inner_steps": 2, "inner_learning_rate": RATE, **options}
    return kind(smooth_mlp(dtype=dtype), score_mask=ScoreMask(sparsity), **settings)


def kept(pupil):
    """The masks, with ones where nothing is ever pruned."""
    ones = {name: np.ones(v.shape) for name, v in pupil.network.variables.items()}
    return {**ones, **{name: m.numpy() for name, m in pupil.score_mask.masks().items()}}


# Eq. 3 by hand: none of the engine is used but the backbone.


def loss_of(pupil, weights, x, y):
    own, statistics = list(weights.values()), pupil.backbone.non_trainable_variables
    logits, _ = pupil.backbone.stateless_call(own, statistics, x, training=True)
    hot = tf.one_hot(y, 3, dtype=tf.float64)
    return -tf.reduce_mean(tf.reduce_sum(hot * tf.math.log_softmax(logits), 1))


def adapted_by_hand(pupil, masks, episode, moves=lambda name: True):
    phi = {name: v.numpy() for name, v in pupil.network.variables.items()}
    for _ in range(pupil.inner_steps):
        phi = {name: tf.constant(w) for name, w in phi.items()}
        with tf.GradientTape() as tape:
            tape.watch(phi)
            loss = loss_of(pupil, _product(masks, phi), episode.support_x, episode.support_y)
        gradients = tape.gradient(loss, phi)
        rates = {name: RATE if moves(name) else 0.0 for name in phi}
        phi = {name: w - rates[name] * gradients[name] for name, w in phi.items()}
    return phi


def query_loss_by_hand(pupil, masks, episode, phi=None):
    phi = adapted_by_hand(pupil, masks, episode) if phi is None else phi
    return loss_of(pupil, _product(masks, phi), episode.query_x, episode.query_y)


def _product(masks, weights):
    return {name: masks[name] * w for name, w in weights.items()}


def slope_by_hand(pupil, directions, objective, step=1e-5):
    """The derivative of a loss when each mask moves as its score does."""

    def moved(by):
        masks = kept(pupil)
        for name in pupil.score_mask.scores:
            masks[name] = masks[name] + by * directions[f"score_mask_{name}_score"]
        return float(objective(masks))

    return (moved(step) - moved(-step)) / (2 * step)


@pytest.mark.parametrize("sparsity", [0.0, 0.4])
def test_score_gradients_of_equation_3_equal_finite_differences_of_the_mask(sparsity):
    pupil, episode = learner(sparsity=sparsity), task(batch())
    gradients, outcome, *_ = task_gradient(pupil, episode)
    masks = kept(pupil)
    np.testing.assert_allclose(outcome.loss, query_loss_by_hand(pupil, masks, episode), rtol=1e-12)
    draws = np.random.default_rng(1)
    for _ in range(3):
        directions = {name: draws.normal(size=g.shape) for name, g in gradients.items()}
        expected = slope_by_hand(
            pupil, directions, lambda masks: query_loss_by_hand(pupil, masks, episode)
        )
        found = sum(np.sum(g * directions[name]) for name, g in gradients.items())
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_first_order_score_gradients_hold_the_adapted_weights():
    pupil, episode = learner(first_order=True), task(batch())
    gradients = task_gradient(pupil, episode).gradients
    phi = adapted_by_hand(pupil, kept(pupil), episode)
    directions = {
        name: np.random.default_rng(1).normal(size=g.shape) for name, g in gradients.items()
    }
    expected = slope_by_hand(
        pupil, directions, lambda masks: query_loss_by_hand(pupil, masks, episode, phi)
    )
    found = sum(np.sum(g * directions[name]) for name, g in gradients.items())
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    exact = task_gradient(learner(), episode, theta(pupil)).gradients
    assert np.abs(flat(exact) - flat(gradients)).max() > 1e-3


@pytest.mark.parametrize(
    ("kind", "statistics"), [(MetaTicket, "support"), (MetaTicketBOIL, "transductive")]
)
def test_score_gradients_equal_finite_differences_of_a_relaxed_mask(kind, statistics, monkeypatch):
    pupil = learner(kind, statistics=statistics)
    starts = {name: tf.identity(s.value) for name, s in pupil.score_mask.scores.items()}
    masks = pupil.score_mask.masks()

    def relaxed(scores, threshold):
        """The mask at the start, from where it follows the scores: its slope is really one."""
        (name,) = [name for name, start in starts.items() if start.shape == scores.shape]
        return masks[name] + scores - starts[name]

    found = task_gradient(pupil, task(batch())).gradients
    monkeypatch.setattr(score, "step", relaxed)
    assert_gradient_is_exact(pupil, task(batch()), directions=2)
    exact = task_gradient(pupil, task(batch())).gradients
    np.testing.assert_allclose(flat(found), flat(exact), rtol=1e-9, atol=1e-14)


def test_the_mask_is_applied_in_every_forward_pass():
    pupil, episode = learner(inner_steps=3), task(batch())
    state = adapted(pupil, episode)
    by_hand = adapted_by_hand(pupil, kept(pupil), episode)
    np.testing.assert_allclose(flat(weights_of(pupil, state)), flat(by_hand), rtol=1e-10)
    for name, mask in kept(pupil).items():
        # What is pruned neither moves nor is zero: it is left out, whatever it is.
        moved = (state[name] - pupil.initial_state()[name]).numpy()
        np.testing.assert_array_equal(moved != 0, mask == 1, name)
    logits = predicted(pupil, state, episode.query_x)
    for name, mask in kept(pupil).items():
        state[name] += 100.0 * (1 - mask)
    np.testing.assert_array_equal(predicted(pupil, state, episode.query_x), logits)


def test_graphs_compute_what_eager_steps_do_and_order_nothing():
    pupil = learner()
    graph = tf.function(pupil.meta_gradients, autograph=False)
    found, expected = graph(batch()), pupil.meta_gradients(batch())
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-9, atol=1e-14)
    definition = graph.get_concrete_function(batch()).graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    # An operation with side effects in the loop over tasks would make them wait for each other.
    stateful = {node.op for node in nodes if op_def_registry.get(node.op).is_stateful}
    assert stateful <= {"ReadVariableOp"}


def test_inner_steps_that_run_again_give_the_same_meta_gradients():
    found, expected = (
        flat(learner(recompute_inner_steps=again).meta_gradients(batch(1)))
        for again in (True, False)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


# What is learned, and what isn't.


def trained(pupil, steps=1, rate=1.0):
    pupil.compile(keras.optimizers.SGD(rate, momentum=0.9), run_eagerly=True)
    pupil.fit(dataset(batch(), repeat=steps), verbose=0)
    return pupil


def test_training_changes_scores_and_nothing_else():
    pupil = learner()
    before = {v.path: v.numpy() for v in pupil.weights}
    trained(pupil)
    changed = {v.path for v in pupil.weights if (v.numpy() != before[v.path]).any()}
    scores = {v.path for v in pupil.score_mask.scores.values()}
    assert changed == scores | {pupil.step.path}
    assert len(pupil.optimizer.variables) == 2 + len(pupil.score_mask.scores)


def test_what_keras_calls_trainable_are_the_scores():
    pupil = learner()
    scores = [v.path for v in pupil.score_mask.scores.values()]
    assert [v.path for v in pupil.trainable_variables] == scores
    assert pupil.trainable_weights == pupil.meta_variables
    assert len(pupil.trainable_weights) + len(pupil.non_trainable_weights) == len(pupil.weights)
    assert len(pupil.non_trainable_variables) == len(pupil.non_trainable_weights)


def test_scores_follow_their_gradient():
    pupil = learner()
    before, gradients = flat(theta(pupil)), flat(pupil.meta_gradients(batch()))
    trained(pupil, rate=0.5)
    np.testing.assert_allclose(flat(theta(pupil)), before - 0.5 * gradients, rtol=1e-12)


def test_weights_start_random_whatever_the_backbone_had():
    one, same, other = (
        [v.numpy() for v in learner(seed=seed).backbone.trainable_variables] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(flat(one), flat(same))
    pupil = learner()
    for name, first, second in zip(pupil.network.variables, one, other):
        assert (first != second).all() == name.endswith("kernel"), name
    expected = KaimingNormal()((4, 5), fold(key(0), "weights", 0, 0), "float64")
    np.testing.assert_array_equal(one[0], expected)


def test_constants_are_a_start_too():
    pupil = learner(weight_initializer=PositiveConstant())
    kernels = [v.numpy() for v in pupil.backbone.trainable_variables if len(v.shape) == 2]
    for kernel in kernels:
        np.testing.assert_array_equal(kernel, np.full(kernel.shape, np.sqrt(2 / len(kernel))))
    signed = learner(weight_initializer=SignedConstant()).backbone.trainable_variables[0].numpy()
    assert len(np.unique(signed)) == 2


def test_boil_leaves_the_head_at_its_random_start():
    pupil, episode = learner(MetaTicketBOIL), task(batch())
    assert not any(name.startswith("head") for name in pupil.initial_state())
    state = adapted(pupil, episode)
    masks, body = kept(pupil), lambda name: not name.startswith("head")
    by_hand = adapted_by_hand(pupil, masks, episode, moves=body)
    np.testing.assert_allclose(flat(weights_of(pupil, state)), flat(by_hand), rtol=1e-10)
    head = pupil.backbone.get_layer("head").get_weights()
    trained(pupil)
    np.testing.assert_array_equal(flat(pupil.backbone.get_layer("head").get_weights()), flat(head))


def test_learned_inner_rates_are_learned_beside_the_scores():
    pupil = learner(learn_inner_rates="layer")
    assert len(pupil.meta_variables) == 2 + 5
    before = flat(theta(pupil))
    assert (flat(theta(trained(pupil))) != before).all()


def test_a_fixed_sparsity_stays_in_training():
    drifting = learner(sparsity=0.5)
    fixed = MetaTicket(smooth_mlp(), score_mask=ScoreMask(0.5, sparsity="fixed"), inner_steps=2)
    for one in (drifting, fixed):
        before = kept(one)
        trained(one, rate=10.0)
        assert any((mask != before[name]).any() for name, mask in kept(one).items())
    assert list(fixed.mask_sparsity().values()) == [0.5, 0.5]
    assert list(drifting.mask_sparsity().values()) != [0.45, 0.45]  # where it started


def test_sparsity_has_a_curve_for_each_layer(tmp_path):
    pupil = learner()
    pupil.compile()
    written = {}
    callback = TensorBoard(tmp_path)
    callback.set_model(pupil)
    callback._writers = {}
    callback._write = lambda name, step, scalars: written.update(scalars)
    callback.on_epoch_end(0, {"loss": 1.0})
    masks = [m for m in kept(pupil).values() if m.min() == 0]
    assert [written[f"mask_sparsity/dense{n}_kernel"] for n in (1, 2)] == [
        1 - m.mean() for m in masks
    ]


# Other parts beside it.


@pytest.mark.parametrize("mask", [CatfishMask(0.3), ParameterMask(0.3), WidthMask(0.4)])
def test_masks_of_mgaug_come_after_the_score_mask(mask):
    pupil = learner(augmentation=MGAug(mask, subnetworks=1))
    episode, data = task(batch(1, first=5)), batch(1, first=5)
    own_key = fold(key(0), 0, episode.index, "subnetwork", 0)
    subnetwork = Subnetwork(tf.constant(0), episode.index, mask.rate(0, own_key), own_key)
    drawn = mask.draw(pupil.network.params, gradients_by_hand(pupil, episode), subnetwork)
    full = task_gradient(pupil, episode).gradients
    prune = functools.partial(mask, masks=drawn)
    pruned, outcome, *_ = task_gradient(pupil, episode, weight_transform=prune)
    for name, found in pupil.meta_gradients(data).items():
        np.testing.assert_allclose(found, full[name] + pruned[name], rtol=1e-9, atol=1e-12)
    both = {
        name: m * drawn[name].numpy() if name in drawn else m for name, m in kept(pupil).items()
    }
    loss = query_loss_by_hand(pupil, both, episode)
    np.testing.assert_allclose(outcome.loss, loss, rtol=1e-12)
    for name in pupil.score_mask.scores:
        assert not pruned[f"score_mask_{name}_score"].numpy()[drawn[name].numpy() == 0].any()


def gradients_by_hand(pupil, episode):
    """Of the query loss at the random weights, as MGAug scores them."""
    weights = {name: tf.constant(v.numpy()) for name, v in pupil.network.variables.items()}
    with tf.GradientTape() as tape:
        tape.watch(weights)
        loss = query_loss_by_hand(pupil, kept(pupil), episode, weights)
    return tape.gradient(loss, weights)


@pytest.mark.parametrize(
    "regularizer",
    [EntropyTAML(0.3), GradDrop(0.2), MetaMix(depths=[0, 1]), MRActivations(0.01, depth=1)],
)
def test_regularizers_act_on_it(regularizer):
    plain = flat(learner().meta_gradients(batch(1)))
    pupil = learner(regularizers=[regularizer])
    found = flat(select(pupil.meta_gradients(batch(1)), learner().meta_params))  # scores alone
    assert np.abs(found - plain).max() > 1e-6
    assert np.isfinite(found).all()


def test_what_needs_learned_weights_is_refused():
    with pytest.raises(ValueError, match="weights are not learned. Received: MetaTicket"):
        learner(regularizers=[MRWeights()])
    with pytest.raises(ValueError, match=r"Use score='query_loss'. Received: CatfishMask\(score="):
        learner(augmentation=MGAug(CatfishMask(score="meta_gradient")))
    with pytest.raises(ValueError, match="no meta-gradient to score weights by"):
        scoring_gradients(learner(), CatfishMask(score="meta_gradient"), None, None)
    with pytest.raises(ValueError, match="straight-through: by definition not the slope"):
        check_gradients(learner(), batch())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"score_mask": CatfishMask()}, "`score_mask` must be a ScoreMask"),
        ({"weight_initializer": "kaiming_normal"}, "`weight_initializer` must be of"),
        ({"weight_initializer": keras.initializers.HeNormal()}, "`weight_initializer` must be of"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(TypeError, match=message):
        MetaTicket(smooth_mlp(), **options)


# Saving.


def test_all_of_it_goes_through_a_file(tmp_path):
    pupil = learner(MetaTicketBOIL, weight_initializer=SignedConstant(), dtype="float32", seed=4)
    trained(pupil, rate=5.0)
    pupil.redraw_pruned(1, 0.5)
    pupil.save(tmp_path / "x.keras")
    copy = keras.models.load_model(tmp_path / "x.keras")
    assert type(copy) is MetaTicketBOIL
    assert copy.score_mask.get_config() == pupil.score_mask.get_config()
    assert isinstance(copy.weight_initializer, SignedConstant)
    for one, other in zip(copy.weights, pupil.weights, strict=True):
        assert one.path == other.path
        np.testing.assert_array_equal(one, other, one.path)
    np.testing.assert_array_equal(flat(copy.optimizer.variables), flat(pupil.optimizer.variables))


def test_other_learners_are_as_they_were():
    pupil = MAML(smooth_mlp())
    assert pupil.meta_variables == pupil.backbone.trainable_variables
    assert [v.path for v in pupil.trainable_variables] == [v.path for v in pupil.meta_variables]
    assert list(theta(pupil)) == list(pupil.network.params)
