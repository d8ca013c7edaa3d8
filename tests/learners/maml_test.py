import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted, weights_of
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, flat, scatter, smooth_mlp, task, theta
from tfmgaug.engine.params import select
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML

RATE = 0.25  # exact in float32


def learner(kind=MAML, **options):
    settings = {"inner_steps": 2, "inner_learning_rate": RATE, **options}
    return scatter(kind(smooth_mlp(), **settings))


def loss_and_gradient(pupil, weights, x, y):
    """The cross-entropy of a set that is normalized by itself; none of the engine is used."""
    with tf.GradientTape() as tape:
        tape.watch(weights)
        own, statistics = list(weights.values()), pupil.backbone.non_trainable_variables
        logits, _ = pupil.backbone.stateless_call(own, statistics, x, training=True)
        hot = tf.one_hot(y, 3, dtype=tf.float64)
        loss = -tf.reduce_mean(tf.reduce_sum(hot * tf.math.log_softmax(logits), 1))
    return loss, tape.gradient(loss, weights)


def adapted_by_hand(pupil, episode, steps=2, moves=lambda name: True):
    weights = theta(pupil)
    for _ in range(steps):
        _, gradients = loss_and_gradient(pupil, weights, episode.support_x, episode.support_y)
        rates = {name: RATE if moves(name) else 0.0 for name in weights}
        weights = {name: w - rates[name] * gradients[name] for name, w in weights.items()}
    return weights


@pytest.mark.parametrize("steps", [1, 3])
def test_adapted_weights_equal_gradient_steps_by_hand(steps):
    pupil, episode = learner(inner_steps=steps), task(batch())
    state = adapted(pupil, episode)
    by_hand = adapted_by_hand(pupil, episode, steps)
    assert list(state) == [*pupil.network.variables, "classes"]
    np.testing.assert_allclose(flat(weights_of(pupil, state)), flat(by_hand), rtol=1e-10)


def test_the_first_order_meta_gradient_is_the_query_gradient_at_adapted_weights():
    pupil, episode = learner(FOMAML), task(batch())
    adapted = adapted_by_hand(pupil, episode)
    loss, expected = loss_and_gradient(pupil, adapted, episode.query_x, episode.query_y)
    found, outcome, *_ = task_gradient(pupil, episode)
    np.testing.assert_allclose(outcome.loss, loss, rtol=1e-12)
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-9, atol=1e-14)


def test_first_order_support_statistics_follow_the_adapted_weights():
    pupil, episode = learner(FOMAML, statistics="support"), task(batch())
    adapted = adapted_by_hand(pupil, episode)
    with tf.GradientTape() as tape:
        tape.watch(adapted)
        statistics = pupil.backbone.non_trainable_variables
        weights, call = list(adapted.values()), pupil.backbone.stateless_call
        _, statistics = call(weights, statistics, episode.support_x, training=True)
        logits, _ = call(weights, statistics, episode.query_x, training=False)
        hot = tf.one_hot(episode.query_y, 3, dtype=tf.float64)
        loss = -tf.reduce_mean(tf.reduce_sum(hot * tf.math.log_softmax(logits), 1))
    found = task_gradient(pupil, episode).gradients
    np.testing.assert_allclose(
        flat(found), flat(tape.gradient(loss, adapted)), rtol=1e-9, atol=1e-14
    )


def test_fomaml_equals_maml_at_inner_rate_zero_and_differs_otherwise():
    for rate, equal in ((0.0, True), (RATE, False)):
        gradients = [
            flat(learner(kind, inner_learning_rate=rate).meta_gradients(batch()))
            for kind in (FOMAML, MAML)
        ]
        assert np.allclose(*gradients, rtol=1e-10, atol=1e-13) == equal


def test_fomaml_is_maml_without_second_order_terms():
    one, other = learner(FOMAML), learner(MAML, first_order=True)
    np.testing.assert_array_equal(*(flat(p.meta_gradients(batch())) for p in (one, other)))
    with pytest.raises(ValueError, match="build a MAML for another first_order"):
        learner(FOMAML, first_order=False)


def test_first_order_rates_have_a_gradient_nevertheless():
    pupil, episode = learner(FOMAML, inner_steps=1, learn_inner_rates="layer"), task(batch())
    pupil.meta_variables[-1].assign(RATE)  # the head's
    _, inner = loss_and_gradient(pupil, pupil.network.params, *episode[:2])
    gradients = task_gradient(pupil, episode).gradients
    by_hand = -sum(np.sum(inner[n] * gradients[n]) for n in ("head_kernel", "head_bias"))
    np.testing.assert_allclose(gradients["head_rate"], by_hand, rtol=1e-6)


def test_the_head_is_untouched_by_boil():
    pupil, episode = learner(BOIL), task(batch())
    assert not any(name.startswith("head") for name in pupil.initial_state())
    state = adapted(pupil, episode)
    by_hand = adapted_by_hand(pupil, episode, moves=lambda name: not name.startswith("head"))
    np.testing.assert_allclose(flat(weights_of(pupil, state)), flat(by_hand), rtol=1e-10)
    gradients = pupil.meta_gradients(batch())
    head = select(gradients, ["head_kernel", "head_bias"])
    assert np.abs(flat(head)).min() > 0  # the outer loop learns it


def test_the_body_is_untouched_by_anil():
    pupil, episode = learner(ANIL), task(batch())
    state = adapted(pupil, episode)
    assert list(state) == ["head_kernel", "head_bias", "classes"]
    by_hand = adapted_by_hand(pupil, episode, moves=lambda name: name.startswith("head"))
    np.testing.assert_allclose(flat(weights_of(pupil, state)), flat(by_hand), rtol=1e-10)


def restricted(backbone, **options):
    """ANIL as MAML would do it: the body is computed in every step."""
    return MAML(backbone, adapts=lambda name: name.startswith("head_"), **options)


@pytest.mark.parametrize("statistics", ["transductive", "support"])
@pytest.mark.parametrize("first_order", [False, True])
def test_computing_the_body_once_changes_nothing(first_order, statistics):
    options = {"first_order": first_order, "statistics": statistics, "learn_inner_rates": "layer"}
    once, often = learner(ANIL, **options), learner(restricted, **options)
    found, expected = (flat(pupil.meta_gradients(batch())) for pupil in (once, often))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_rates_may_differ_by_layer():
    names = ["dense1", "norm1", "dense2", "norm2", "head"]
    rates = dict(zip(names, [0.1, 0.2, 0.3, 0.4, 0.5]))
    pupil = learner(inner_learning_rate=list(rates.values()))
    expected = {name: rates[name.split("_")[0]] for name in pupil.network.variables}
    assert pupil.inner_rates() == expected
    assert len(learner(learn_inner_rates="layer").meta_variables) == 8 + 5
    assert len(learner(ANIL, learn_inner_rates="layer").meta_variables) == 8 + 1
    assert len(learner(BOIL, learn_inner_rates="parameter").meta_variables) == 8 + 6


def test_learned_rates_are_learned_by_fit():
    pupil = learner(ANIL, learn_inner_rates="parameter")
    pupil.compile(keras.optimizers.SGD(0.1))
    before, gradients = flat(theta(pupil)), flat(pupil.meta_gradients(batch()))
    pupil.fit(tf.data.Dataset.from_tensors(batch()), verbose=0)
    np.testing.assert_allclose(flat(theta(pupil)), before - 0.1 * gradients, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"inner_steps": 0}, "`inner_steps` must be an int >= 1"),
        ({"inner_steps": 1.5}, "`inner_steps` must be an int >= 1"),
        ({"inner_learning_rate": -0.1}, "`inner_learning_rate` must be a number >= 0"),
        ({"inner_learning_rate": [0.1, 0.2]}, "one for each of the layers"),
        ({"learn_inner_rates": "weight"}, "`learn_inner_rates` must be one of"),
        ({"statistics": "batch"}, "`statistics` must be one of"),
        ({"loss": "hinge"}, "`loss` must be one of"),
        ({"loss": keras.losses.SparseCategoricalCrossentropy()}, "from_logits=True"),
        ({"parallel_tasks": 0}, "`parallel_tasks` must be an int >= 1"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        learner(**options)
