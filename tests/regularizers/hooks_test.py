"""What a learner does with its regularizers, whichever they are."""

import functools

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from tensorflow.python.framework import op_def_registry

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient, training_run
from tests.helpers.tasks import batch, chosen, dataset, flat, scatter, smooth_mlp, task, theta
from tfmgaug import MGAug
from tfmgaug.engine.batch import before_adaptation
from tfmgaug.engine.params import select
from tfmgaug.learners import ANIL, FOMAML, MAML, ProtoNet
from tfmgaug.masks import CatfishMask, ParameterMask
from tfmgaug.masks.mask import at_rate
from tfmgaug.randomness import fold, key, normal
from tfmgaug.regularizers import GradDrop, MRActivations, MRWeights, Regularizer


def learner(*regularizers, kind=MAML, **options):
    steps = {} if kind is ProtoNet else {"inner_steps": 2, "inner_learning_rate": 0.3}
    backbone = smooth_mlp(way=None if kind is ProtoNet else 3)
    return scatter(kind(backbone, regularizers=regularizers, **{**steps, "seed": 7, **options}))


def gradient(pupil, episode=None, **changed):
    return task_gradient(pupil, episode or task(batch()), **changed).gradients


class Watcher(Regularizer):
    """Notes the keys it is given, and changes nothing."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def episode(self, episode, key, loss_of):
        self.seen.append(("episode", *key.numpy()))
        return episode

    def weights(self, weights, key):
        self.seen.append(("weights", *key.numpy()))
        return weights

    def inner_gradients(self, gradients, key, step):
        self.seen.append(("gradients", *key.numpy()))
        return gradients


class Jitter(Regularizer):
    def weights(self, weights, key):
        return {
            name: weight + 0.1 * normal(weight.shape, fold(key, place), weight.dtype)
            for place, (name, weight) in enumerate(weights.items())
        }


class Strength(Regularizer):
    """Has a variable that is learned."""

    def attach(self, learner):
        self.strength = learner.add_weight(
            shape=(), dtype="float64", initializer="ones", name="strength"
        )

    @property
    def variables(self):
        return [self.strength] if hasattr(self, "strength") else []


class Penalty(Strength):
    """`strength * |w|^2` with a strength that is learned."""

    def penalty(self, run):
        weights = run.learner.backbone.trainable_variables
        squares = [tf.reduce_sum(tf.convert_to_tensor(w) ** 2) for w in weights]
        return tf.convert_to_tensor(self.strength) * tf.add_n(squares)


def watched(kind=MAML, step=0, first=0, seed=7, **options):
    watcher = Watcher()
    pupil = learner(watcher, kind=kind, seed=seed, **options)
    pupil.step.assign(step)
    gradient(pupil, task(batch(first=first)))
    return watcher.seen


@pytest.mark.parametrize("kind", [MAML, ANIL, FOMAML, ProtoNet])
def test_hooks_that_change_nothing_change_no_bit(kind):
    gradients = [flat(gradient(learner(*one, kind=kind))) for one in ([], [Watcher()])]
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize(
    ("kind", "statistics", "passes"),
    [
        (MAML, "transductive", 3),  # two inner steps, the queries
        (MAML, "support", 4),
        (ANIL, "support", 4),  # the body, two inner steps of the head, the queries
        (ProtoNet, "support", 2),
    ],
)
def test_every_forward_pass_and_inner_step_has_a_key_of_its_own(kind, statistics, passes):
    keys = watched(kind, statistics=statistics)
    names = [name for name, *_ in keys]
    assert names.count("weights") == passes
    assert names.count("gradients") == (0 if kind is ProtoNet else 2)
    assert names.count("episode") == 1
    assert len({tuple(numbers) for _, *numbers in keys}) == len(keys)


def test_keys_repeat_for_the_same_seed_step_and_episode_alone():
    found = watched(step=3, first=5)
    assert watched(step=3, first=5) == found
    for other in ({"seed": 8}, {"step": 4}, {"first": 6}):
        assert not set(watched(**{"step": 3, "first": 5, **other})) & set(found)


def test_noise_comes_before_masks_and_revives_no_pruned_entry():
    jitter = Jitter(subnetworks=True)
    pupil = learner(jitter, augmentation=MGAug(ParameterMask(0.5)))
    masks = pupil.augmentation.mask.draw(theta(pupil), None, at_rate(0.5))
    prune = functools.partial(pupil.augmentation.mask, masks=masks)
    found = gradient(pupil, weight_transform=prune)
    for name, mask in masks.items():
        np.testing.assert_array_equal(found[name].numpy() != 0, mask == 1)


class Shift(Regularizer):
    places = ("stage2",)

    def activations(self, x, place, key, step):
        return x + 0.5


def test_activations_are_changed_behind_their_layer_on_support_and_queries():
    pupil, episode = learner(Shift(), kind=ANIL, inner_steps=1), task(batch())
    body = keras.Model(pupil.backbone.inputs, pupil.backbone.get_layer("stage2").output)
    *weights, kernel, bias = [weight.numpy() for weight in theta(pupil).values()]
    x, queries = (
        body.stateless_call(weights, body.non_trainable_variables, part, training=True)[0] + 0.5
        for part in (episode.support_x, episode.query_x)
    )
    errors = scipy.special.softmax(x @ kernel + bias, axis=1) - np.eye(3)[episode.support_y]
    kernel = kernel - 0.3 * np.transpose(x) @ errors / len(errors)
    bias = bias - 0.3 * errors.mean(0)
    run = training_run(pupil, episode)
    np.testing.assert_allclose(run.logits, queries @ kernel + bias, rtol=1e-10)


def test_a_penalty_adds_to_the_gradient_and_not_to_the_outcome():
    pupil, plain = learner(Penalty()), learner()
    penalized, expected = (task_gradient(one, task(batch())) for one in (pupil, plain))
    np.testing.assert_array_equal(penalized.outcome.loss, expected.outcome.loss)
    strength, weights, found = theta(pupil)["strength"], theta(plain), penalized.gradients
    for name, other in expected.gradients.items():
        wanted = other + 2 * strength * weights[name]
        np.testing.assert_allclose(found[name], wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found["strength"], np.sum(flat(weights) ** 2), rtol=1e-10)


def test_what_replaces_the_outcome_is_what_is_learned():
    class Doubled(Regularizer):
        def outcome(self, run):
            return run.plain_outcome._replace(loss=2 * run.plain_outcome.loss)

    found, expected = gradient(learner(Doubled())), gradient(learner())
    np.testing.assert_allclose(flat(found), 2 * flat(expected), rtol=1e-12)


def test_the_episode_that_a_hook_returns_is_trained_on():
    losses = []

    class Swap(Regularizer):
        def episode(self, episode, key, loss_of):
            losses.append(loss_of(episode))
            return episode._replace(query_x=episode.support_x, query_y=episode.support_y)

    episode, plain = task(batch()), learner()
    changed = episode._replace(query_x=episode.support_x, query_y=episode.support_y)
    np.testing.assert_array_equal(
        flat(gradient(learner(Swap()), episode)), flat(gradient(plain, changed))
    )
    outcome = task_gradient(plain, episode).outcome
    np.testing.assert_array_equal(losses[0], outcome.loss)


def test_all_regularizers_together_have_exact_gradients():
    together = [GradDrop(0.3), MRWeights(0.01, 0.2), MRActivations(0.02), Penalty(), Jitter()]
    pupil = learner(*together, statistics="support")
    assert_gradient_is_exact(pupil, task(batch()))


def test_variables_of_regularizers_are_learned_by_fit_and_named_once():
    pupil = learner(Penalty(), MRWeights(), kind=FOMAML)
    assert pupil.meta_variables[-3:] == [v for one in pupil.regularizers for v in one.variables]
    assert {id(v) for v in pupil.trainable_variables} == {id(v) for v in pupil.meta_variables}
    before = [tf.identity(variable) for variable in pupil.meta_variables[-3:]]
    pupil.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    pupil.fit(dataset(batch()), verbose=0)
    for variable, start in zip(pupil.meta_variables[-3:], before):
        assert np.abs(variable - start).max() > 1e-6


def test_a_variable_without_a_part_in_the_loss_is_refused_by_name():
    class Forgotten(Strength):
        def weights(self, params, key):
            return params

    with pytest.raises(ValueError, match="without a gradient: .*strength"):
        gradient(learner(Forgotten()))


@pytest.mark.parametrize("subnetworks", [False, True])
def test_regularizers_act_on_subnetworks_if_they_are_told_to(subnetworks):
    pupil = learner(Jitter(subnetworks), augmentation=MGAug(ParameterMask(0.0), subnetworks=1))
    episode, own_key = task(batch(1)), fold(key(7), 0, 0, "subnetwork", 0)
    full, own = gradient(pupil, episode), gradient(learner(), episode)
    if subnetworks:
        own = gradient(pupil, episode, weight_transform=lambda weights: weights, key=own_key)
    found = flat(pupil.meta_gradients(batch(1)))
    np.testing.assert_allclose(found, flat(full) + flat(own), rtol=1e-9, atol=1e-12)
    assert np.abs(flat(own) - flat(full)).max() > 1e-3


@pytest.mark.parametrize("kind", [MAML, ProtoNet])
def test_neither_noise_nor_penalties_reach_the_score_of_a_catfish_mask(kind):
    found = []
    for regularizers in ([], [Jitter(), Penalty()]):
        pupil = learner(*regularizers, kind=kind, augmentation=MGAug(CatfishMask(0.2)))
        gradients = gradient(pupil)
        found.append(before_adaptation(pupil, theta(pupil), task(batch()), gradients)[0])
    plain, scores = found
    np.testing.assert_allclose(flat(select(scores, plain)), flat(plain), rtol=1e-10, atol=1e-14)


class Coupled(Regularizer):
    """Weighs each task's loss by its share of the sum over tasks."""

    def summary(self, run):
        return run.plain_outcome.loss

    def couple(self, summaries):
        return summaries / tf.reduce_sum(summaries)

    def penalty(self, run):
        share = tf.cast(run.coupling(self), run.plain_outcome.loss.dtype)
        return share * run.plain_outcome.loss


def test_a_regularizer_that_couples_tasks_tells_each_what_it_must_know():
    pupil, plain = learner(Coupled()), learner()
    data = batch(3)
    single = [task_gradient(plain, task(data, number)) for number in range(3)]
    losses = np.array([one.outcome.loss for one in single])
    factors = 1 + losses / losses.sum()
    expected = np.mean([f * flat(one.gradients) for f, one in zip(factors, single)], 0)
    np.testing.assert_allclose(flat(pupil.meta_gradients(data)), expected, rtol=1e-5, atol=1e-7)
    # Another order of tasks is another order of what is said of them.
    turned = flat(pupil.meta_gradients(chosen(data, [2, 0, 1])))
    np.testing.assert_allclose(turned, expected, rtol=1e-5, atol=1e-7)


def test_no_hook_is_called_in_evaluation():
    class Loud(Regularizer):
        def weights(self, *_):
            raise AssertionError

        episode = inner_gradients = activations = penalty = outcome = summary = couple = weights

    pupil, plain = learner(Loud(), kind=FOMAML), learner(kind=FOMAML)
    inputs, _ = batch()
    for one in (pupil, plain):
        one.compile(run_eagerly=True)
    results = [
        one.evaluate(dataset(batch()), return_dict=True, verbose=0) for one in (pupil, plain)
    ]
    assert results[0] == results[1]
    np.testing.assert_array_equal(pupil(inputs), plain(inputs))
    support = inputs["support_x"][0], inputs["support_y"][0]
    predictions = [one.adapt(*support).predict(inputs["query_x"][0]) for one in (pupil, plain)]
    np.testing.assert_array_equal(*predictions)


def test_graphs_draw_what_eager_steps_draw():
    pupil = learner(GradDrop(0.3), MRWeights(0.01, 0.2), MRActivations())
    graph = tf.function(pupil.meta_gradients, autograph=False)
    found, expected = graph(batch()), pupil.meta_gradients(batch())
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-8, atol=1e-12)
    nodes = [*graph.get_concrete_function(batch()).graph.as_graph_def().node]
    for function in graph.get_concrete_function(batch()).graph.as_graph_def().library.function:
        nodes += function.node_def
    # An operation with side effects in the loop over tasks would make them wait for each other.
    stateful = {node.op for node in nodes if op_def_registry.get(node.op).is_stateful}
    assert stateful <= {"ReadVariableOp"}


def test_a_regularizer_with_variables_serves_one_learner():
    for regularizer in (MRWeights(), MRActivations()):
        learner(regularizer)
        with pytest.raises(ValueError, match="serves one learner"):
            learner(regularizer)


def test_what_can_not_act_together_is_refused():
    class Replacing(Regularizer):
        def outcome(self, run):
            return run.plain_outcome

    once = GradDrop()
    with pytest.raises(ValueError, match="distinct"):
        learner(once, once)
    with pytest.raises(ValueError, match="Received: Replacing, Replacing"):
        learner(Replacing(), Replacing())
    with pytest.raises(TypeError, match="tfmgaug.regularizers.Regularizer. Received: 'graddrop'"):
        learner("graddrop")
    with pytest.raises(TypeError, match="the methods of a protocol"):
        learner(Regularizer())
