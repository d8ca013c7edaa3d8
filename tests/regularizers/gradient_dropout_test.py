import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient, training_run
from tests.helpers.tasks import batch, flat, scatter, smooth_mlp, task, theta
from tfmgaug.engine.params import replace
from tfmgaug.learners import ANIL, FOMAML, MAML, ProtoNet
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import GradDrop

RATE = 0.25
KINDS = ["binary", "gaussian"]


def learner(*regularizers, kind=MAML, **options):
    settings = {"inner_steps": 2, "inner_learning_rate": 0.5, "seed": 7, **options}
    return scatter(kind(smooth_mlp(), regularizers=regularizers, **settings))


class Watched(GradDrop):
    """Keeps the factors of each inner step."""

    def inner_gradients(self, gradients, key, step):
        dropped = super().inner_gradients(gradients, key, step)
        self.seen.append(flat(dropped) / flat(gradients))
        return dropped


def factors(first=0, step=0, seed=7, **options):
    watched = Watched(**{"rate": RATE, **options})
    watched.seen = []
    pupil = learner(watched, seed=seed)
    pupil.step.assign(step)
    task_gradient(pupil, task(batch(first=first)))
    return watched.seen


def noise(distribution, rate=RATE, number=40000):
    drawn = GradDrop(rate, distribution).inner_gradients(
        {"kernel": tf.ones(number, tf.float64)}, key(3), tf.constant(0, tf.int64)
    )
    return drawn["kernel"].numpy()


@pytest.mark.parametrize("rate", [0.1, 0.5])
@pytest.mark.parametrize("distribution", KINDS)
def test_the_noise_has_mean_one_and_the_variance_of_dropout(distribution, rate):
    drawn, variance = noise(distribution, rate), rate / (1 - rate)
    np.testing.assert_allclose(drawn.mean(), 1, atol=4 * np.sqrt(variance / drawn.size))
    np.testing.assert_allclose(drawn.var(), variance, rtol=0.05)


def test_binary_noise_is_zero_or_what_makes_up_for_it():
    drawn = noise("binary")
    assert set(drawn) == {0, 1 / (1 - RATE)}
    np.testing.assert_allclose(np.mean(drawn == 0), RATE, atol=0.01)


def test_gaussian_noise_is_gaussian():
    standard = (noise("gaussian") - 1) / np.sqrt(RATE / (1 - RATE))
    np.testing.assert_allclose(np.mean(standard**3), 0, atol=0.06)
    np.testing.assert_allclose(np.mean(standard**4), 3, atol=0.2)


def test_an_inner_step_is_one_of_gradient_descent_with_entries_dropped():
    pupil, episode = learner(GradDrop(RATE), kind=FOMAML, inner_steps=1), task(batch())
    weights, statistics = theta(pupil), pupil.backbone.non_trainable_variables
    with tf.GradientTape() as tape:
        tape.watch(weights)
        logits, _ = pupil.backbone.stateless_call(
            list(weights.values()), statistics, episode.support_x, training=True
        )
        hot = tf.one_hot(episode.support_y, 3, dtype=tf.float64)
        loss = -tf.reduce_mean(tf.reduce_sum(hot * tf.math.log_softmax(logits), 1))
    steps = 0.5 * flat(tape.gradient(loss, weights))
    run = training_run(pupil, episode)
    taken = flat(weights) - flat(replace(weights, run.adapted))
    shares = taken / steps
    dropped = np.abs(shares) < 1e-9
    np.testing.assert_allclose(shares[~dropped], 1 / (1 - RATE), rtol=1e-6)
    assert 0.1 < dropped.mean() < 0.5


def test_every_weight_inner_step_task_and_outer_step_has_noise_of_its_own():
    first, second = factors()
    others = [factors(first=1)[0], factors(step=1)[0], factors(seed=8)[0]]
    for other in (second, *others):
        assert 0.2 < np.mean(np.abs(other - first) > 1e-9) < 0.6
    one, two = noise("gaussian"), noise("gaussian")
    np.testing.assert_array_equal(one, two)
    drop, gradients = GradDrop(RATE), {"kernel": tf.ones(1000), "bias": tf.ones(1000)}
    drawn = drop.inner_gradients(gradients, key(0), 0)
    assert (drawn["kernel"].numpy() != drawn["bias"].numpy()).any()


def test_the_same_seed_step_and_episode_give_the_same_noise():
    for found, expected in zip(factors(first=3, step=2), factors(first=3, step=2)):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("distribution", KINDS)
def test_rate_zero_is_the_plain_learner(distribution):
    plain, dropping = learner(), learner(GradDrop(0.0, distribution))
    gradients = [task_gradient(one, task(batch())).gradients for one in (plain, dropping)]
    np.testing.assert_array_equal(*map(flat, gradients))


def test_the_rate_rises_linearly_to_where_it_stays():
    drop, ones = GradDrop(0.4, ramp_steps=10), {"kernel": tf.ones(40000)}

    def share(step):
        own_key = fold(key(0), step)
        dropped = drop.inner_gradients(ones, own_key, tf.constant(step, tf.int64))
        return np.mean(dropped["kernel"] == 0)

    assert share(0) == 0
    np.testing.assert_allclose([share(n) for n in (5, 10, 20)], [0.2, 0.4, 0.4], atol=0.01)


@pytest.mark.parametrize("step", [0, 1, 4, 8, 20])
def test_a_ramp_of_gaussian_noise_is_one_of_its_deviation(step):
    drop, entries = GradDrop(0.5, "gaussian", ramp_steps=8), {"kernel": tf.ones(5000, tf.float64)}
    deviation = {0: 0, 1: 0.125, 4: 0.5, 8: 1, 20: 1}[step]  # sqrt(0.5 / (1 - 0.5)) is 1
    noisy = drop.inner_gradients(entries, key(0), tf.constant(step, tf.int64))["kernel"]
    last = GradDrop(0.5, "gaussian").inner_gradients(entries, key(0), 0)["kernel"]
    np.testing.assert_allclose(noisy - 1, deviation * (last - 1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_a_ramp_begins_with_the_plain_learner_and_ends_with_the_constant_rate(kind):
    constant, rising = GradDrop(distribution=kind), GradDrop(distribution=kind, ramp_steps=4)

    def gradient(step, *regularizers):
        pupil = learner(*regularizers, inner_steps=1)
        pupil.step.assign(step)
        return flat(task_gradient(pupil, task(batch())).gradients)

    np.testing.assert_array_equal(gradient(0, rising), gradient(0))
    np.testing.assert_array_equal(gradient(4, rising), gradient(4, constant))
    assert np.abs(gradient(2, rising) - gradient(2, constant)).max() > 1e-3


@pytest.mark.parametrize("kind", [MAML, ANIL])
@pytest.mark.parametrize("distribution", KINDS)
def test_meta_gradients_through_the_noise_equal_finite_differences(kind, distribution):
    pupil = learner(GradDrop(RATE, distribution), kind=kind)
    assert_gradient_is_exact(pupil, task(batch()))


def test_evaluation_drops_nothing():
    plain, dropping = learner(), learner(GradDrop(0.5))
    measured = [pupil.step_outcomes(task(batch()))["loss"] for pupil in (plain, dropping)]
    np.testing.assert_array_equal(*measured)


def test_learners_without_inner_steps_are_refused():
    with pytest.raises(ValueError, match="without inner steps has none. Received: ProtoNet"):
        ProtoNet(smooth_mlp(way=None), regularizers=[GradDrop()])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"rate": 1.0}, "rate"),
        ({"rate": -0.1}, "rate"),
        ({"distribution": "normal"}, "distribution"),
        ({"ramp_steps": -1}, "ramp_steps"),
    ],
)
def test_impossible_arguments_are_refused(options, name):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        functools.partial(GradDrop, **options)()
