"""Reptile against a numpy evaluation of the same batches."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted, weights_of
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import (
    batch,
    chosen,
    dataset,
    flat,
    images,
    small_conv,
    smooth_mlp,
    task,
    theta,
)
from tfmgaug import MGAug
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_batches import batch_of
from tfmgaug.engine.inner_optimizers import SGD, Adam
from tfmgaug.engine.params import select
from tfmgaug.engine.task import initial_outcome
from tfmgaug.learners import ProtoNet, Reptile
from tfmgaug.masks import CatfishMask, ParameterMask
from tfmgaug.masks.mask import Subnetwork
from tfmgaug.randomness import key
from tfmgaug.regularizers import EntropyTAML, GradDrop, MetaMix, MRWeights

WAY, RATE, OUTER, STEPS, SIZE = 3, 0.1, 0.5, 4, 4
OPTIMIZERS = {
    "SGD": SGD(),
    "momentum": SGD(momentum=0.9),
    "Adam": Adam(beta_1=0.0),
    "Adam with both moments": Adam(beta_1=0.9, epsilon=1e-3),
}


def linear():
    inputs = keras.Input((4,), dtype="float64")
    outputs = keras.layers.Dense(WAY, dtype="float64", name="head")(inputs)
    return keras.Model(inputs, outputs)


def learner(backbone=linear, **options):
    keras.utils.set_random_seed(0)
    settings = {"inner_steps": STEPS, "inner_learning_rate": RATE, "inner_batch": SIZE}
    return Reptile(backbone(), **{**settings, **options})


def compiled(optimizer=None, **options):
    pupil = learner(**options)
    pupil.compile(optimizer or keras.optimizers.SGD(OUTER), run_eagerly=True)
    return pupil


# By hand.


def gradients(weights, x, y):
    kernel, bias = weights
    logits = x @ kernel + bias
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    errors = (chances - np.eye(WAY)[y]) / len(x)
    return [x.T @ errors, errors.sum(0)]


class ByHand:
    """The rules of inner optimizers, once more."""

    def __init__(self, name):
        self.name = name
        self.step, self.first, self.second = 0, [0.0, 0.0], [0.0, 0.0]

    def __call__(self, weights, grads):
        self.step += 1
        if self.name in ("SGD", "momentum"):
            momentum = 0.9 if self.name == "momentum" else 0.0
            self.first = [momentum * m + g for m, g in zip(self.first, grads)]
            return [w - RATE * m for w, m in zip(weights, self.first)]
        beta, epsilon = (0.0, 1e-8) if self.name == "Adam" else (0.9, 1e-3)
        self.first = [beta * m + (1 - beta) * g for m, g in zip(self.first, grads)]
        self.second = [0.999 * v + 0.001 * g**2 for v, g in zip(self.second, grads)]
        rate = RATE * np.sqrt(1 - 0.999**self.step) / (1 - beta**self.step)
        return [
            w - rate * m / (np.sqrt(v) + epsilon)
            for w, m, v in zip(weights, self.first, self.second)
        ]


def batches(pupil, episode, step):
    pupil.step.assign(step)
    order = pupil.task_key(episode)
    return [
        [
            np.asarray(part)
            for part in batch_of(episode.support_x, episode.support_y, SIZE, n, order)
        ]
        for n in range(STEPS)
    ]


def outer_steps(pupil, name, data, steps, carried):
    """theta + epsilon * mean(phi - theta), `steps` times."""
    weights, rule = [w.numpy() for w in theta(pupil).values()], ByHand(name)
    for step in range(steps):
        ends = []
        for number in range(2):
            rule = rule if carried else ByHand(name)
            end = weights
            for x, y in batches(pupil, task(data, number), step):
                end = rule(end, gradients(end, x, y))
            ends.append(end)
        weights = [w + OUTER * (np.mean(each, axis=0) - w) for w, each in zip(weights, zip(*ends))]
    pupil.step.assign(0)
    return weights


@pytest.mark.parametrize("carried", [False, True], ids=["slots reset", "slots carried"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_outer_steps_equal_those_by_hand(name, carried):
    data = batch()
    pupil = compiled(inner_optimizer=OPTIMIZERS[name], carry_slots=carried, parallel_tasks=1)
    expected = outer_steps(pupil, name, data, 3, carried)
    pupil.fit(dataset(data, repeat=3), verbose=0)
    np.testing.assert_allclose(flat(theta(pupil)), flat(expected), rtol=1e-10)


def test_carried_slots_make_a_difference_that_reaches_evaluation():
    kept, reset = (
        compiled(inner_optimizer=Adam(0.0), carry_slots=carried, parallel_tasks=1)
        for carried in (True, False)
    )
    for pupil in (kept, reset):
        pupil.fit(dataset(batch(), repeat=2), verbose=0)
    assert np.abs(flat(theta(kept)) - flat(theta(reset))).max() > 1e-3
    # Evaluation starts from the last slots, and leaves them alone.
    before = flat(kept.carried_variables)
    start = select(kept.initial_state(), kept.carried_variables)
    np.testing.assert_array_equal(flat(start), before)
    kept.evaluate(dataset(batch(seed=1)), verbose=0)
    np.testing.assert_array_equal(flat(kept.carried_variables), before)
    assert reset.carried_variables == {}


def test_a_sum_is_a_mean_at_a_larger_rate():
    total = learner(inner_optimizer=SGD(), inner_reduction="sum")
    mean = learner(inner_optimizer=SGD(), inner_learning_rate=SIZE * RATE)
    found, expected = (flat(one.meta_gradients(batch())) for one in (total, mean))
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_each_task_has_batches_of_its_own_that_its_place_does_not_change():
    pupil, data = learner(), batch(tasks=4)
    found = pupil.meta_gradients(data)
    moved = pupil.meta_gradients(chosen(data, [2, 0, 3, 1]))
    np.testing.assert_allclose(flat(found), flat(moved), rtol=1e-10)
    first, second = (batches(pupil, task(data, n), 0)[0][1] for n in range(2))
    assert (first != second).any()


# Training and evaluation.


def test_evaluation_has_its_own_steps_and_batch():
    pupil = compiled(evaluation_steps=2, evaluation_batch=5, inner_optimizer=SGD())
    episode = task(batch())
    state = adapted(pupil, episode)
    end = [w.numpy() for w in theta(pupil).values()]
    for n in range(2):
        order = pupil.initial_state()["order"]
        x, y = batch_of(episode.support_x, episode.support_y, 5, n, order)
        end = ByHand("SGD")(end, gradients(end, x.numpy(), y.numpy()))
    np.testing.assert_allclose(flat(weights_of(pupil, state)), flat(end), rtol=1e-10)
    logs = pupil.evaluate(dataset(batch()), return_dict=True, verbose=0)
    assert "accuracy_step_2" in logs
    assert "accuracy_step_3" not in logs
    assert logs["accuracy"] == logs["accuracy_step_2"]


def test_one_step_at_a_time_is_the_same_as_all_at_once():
    pupil = learner(inner_optimizer=Adam(0.5))
    episode, state = task(batch()), pupil.initial_state()
    at_once = adapted(pupil, episode, 5)
    for _ in range(5):
        state = adapted(pupil, episode, 1, state)
    assert state.keys() == at_once.keys()
    for name, part in at_once.items():
        np.testing.assert_allclose(state[name], part, rtol=1e-12)


def test_an_adapted_state_has_no_training_in_it():
    inputs, _ = batch()
    state = learner().adapt(inputs["support_x"][0], inputs["support_y"][0]).state
    assert set(state) == {"head_kernel", "head_bias", "classes"}


def test_queries_are_not_learned_from():
    data, other = batch(), batch(seed=1)
    other = ({**data[0], "query_x": other[0]["query_x"]}, data[1])
    pupil = learner()
    found, same = (flat(pupil.meta_gradients(one)) for one in (data, other))
    np.testing.assert_array_equal(found, same)


@pytest.mark.parametrize("make", [lambda: small_conv(), lambda: small_conv(None)])
def test_one_by_one_appends_each_query_to_the_support_set(make):
    backbone = make()
    options = {"statistics": "one_by_one"}
    way = backbone.output_shape[-1]
    pupil = (
        Reptile(backbone, inner_steps=1, **options) if way == 3 else ProtoNet(backbone, **options)
    )
    inputs, _ = images()
    x, y, query = (inputs[name][0] for name in ("support_x", "support_y", "query_x"))
    answers = pupil.adapt(x, y)
    found = answers.predict(query)
    alone = np.concatenate([answers.predict(query[n : n + 1]) for n in range(len(query))])
    np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-6)
    weights = weights_of(pupil, answers.state)
    both = np.concatenate([x, query[1:2]])
    outputs = pupil.read_out(pupil.network(weights, both, Context())[0][-1:], answers.state)
    np.testing.assert_allclose(found[1:2], tf.nn.softmax(outputs), rtol=1e-5, atol=1e-6)
    other = pupil.adapt(x, y, statistics="transductive").predict(query)
    assert np.abs(found - other).max() > 1e-4


# With masks and regularizers.


@pytest.mark.parametrize("optimizer", [SGD(0.9), Adam(0.9)], ids=["momentum", "Adam"])
def test_what_a_subnetwork_lacks_does_not_move_even_by_carried_momentum(optimizer):
    pupil = compiled(
        backbone=lambda: smooth_mlp(),
        inner_optimizer=optimizer,
        carry_slots=True,
        parallel_tasks=1,
    )
    pupil.fit(dataset(batch()), verbose=0)
    mask = ParameterMask(0.5)
    mask.attach(pupil.network, pupil.classifier)
    subnetwork = Subnetwork(tf.constant(0), tf.constant(0), mask.rate(0, key(0)), key(0))
    masks = mask.draw(theta(pupil), None, subnetwork)
    found = task_gradient(pupil, task(batch()), weight_transform=lambda w: mask(w, masks)).gradients
    assert masks
    for name, kept in masks.items():
        assert (found[name].numpy()[kept.numpy() == 0] == 0).all()
        assert (found[name].numpy()[kept.numpy() == 1] != 0).all()


def test_catfish_scores_come_from_the_first_inner_batch():
    pupil = learner(augmentation=None)
    data = batch()
    found, outcome = pupil.weight_gradient(theta(pupil), task(data))
    x, y = batches(pupil, task(data), 0)[0]
    expected = gradients([w.numpy() for w in theta(pupil).values()], x, y)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-10)
    assert outcome.loss == initial_outcome(pupil, theta(pupil), task(data)).loss


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"regularizers": [MetaMix()]}, "no outer loss.*Received: MetaMix"),
        ({"regularizers": [EntropyTAML()]}, "no outer loss.*Received: EntropyTAML"),
        ({"regularizers": [MRWeights()]}, "no outer loss.*Received: MRWeights"),
        (
            {"augmentation": MGAug(CatfishMask(score="meta_gradient"))},
            "difference of weights.*CatfishMask",
        ),
        ({"carry_slots": True}, "parallel_tasks=1 and one replica. Received: parallel_tasks=4"),
        ({"inner_steps": 0}, "`inner_steps` must be an int >= 1. Received: 0"),
        ({"inner_batch": 2.0}, "`inner_batch` must be an int >= 1 or None"),
        ({"evaluation_steps": 0}, "`evaluation_steps` must be an int >= 1 or None"),
        ({"inner_reduction": "max"}, "`inner_reduction` must be one of"),
        ({"inner_learning_rate": [0.1]}, "one for each of the layers"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        learner(backbone=smooth_mlp, **options)


def test_another_optimizer_is_refused():
    with pytest.raises(
        TypeError, match="`inner_optimizer` must be of tfmgaug.engine.inner_optimizers"
    ):
        learner(inner_optimizer=keras.optimizers.SGD())


def test_inner_gradients_are_dropped():
    plain = learner(inner_optimizer=SGD())
    dropped = learner(inner_optimizer=SGD(), regularizers=[GradDrop(0.5)])
    found, whole = (flat(one.meta_gradients(batch(tasks=1))) for one in (dropped, plain))
    assert np.abs(found - whole).max() > 1e-3
