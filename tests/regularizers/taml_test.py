import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.single_task import moved, training_run
from tests.helpers.tasks import batch, chosen, flat, regression, scatter, smooth_mlp, task, theta
from tfmgaug.backbones import mlp
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.regularizers import EntropyTAML, InequalityTAML

STEP = 1e-5
FORMS = {
    "theil": {},
    "ge": {"alpha": 1.5},
    "atkinson": {"epsilon": 1.0},
    "gini": {},
    "variance_of_logs": {},
}


def learner(*regularizers, kind=MAML, backbone=smooth_mlp, **options):
    settings = {"inner_steps": 1, "inner_learning_rate": 0.3, **options}
    return scatter(kind(backbone(), regularizers=regularizers, **settings))


def runs(pupil, weights, data):
    """The tasks of a batch at given weights, without regularizers."""
    with pupil.scope(weights):
        for number in range(len(data[1])):
            run = training_run(pupil, task(data, number))
            yield run.plain_outcome.loss, run.initial_outcome.loss, run.initial_logits, run.logits


def entropy(logits):
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return -np.mean((p * np.log(p)).sum(1))


def objective(regularizer, weights, data):
    """What TAML minimizes, evaluated directly."""
    losses, initial, before, after = zip(*runs(learner(), weights, data))
    total = np.mean(losses)
    if isinstance(regularizer, EntropyTAML):
        pairs = zip(map(np.array, after), map(np.array, before))
        return total + regularizer.weight * np.mean([entropy(a) - entropy(b) for a, b in pairs])
    return total + regularizer.weight * float(regularizer.inequality(tf.stack(initial)))


@pytest.mark.parametrize(
    "regularizer",
    [EntropyTAML(0.7), InequalityTAML("gini", 2.0), InequalityTAML("atkinson", 2.0, epsilon=1.0)],
)
def test_meta_gradients_equal_finite_differences(regularizer):
    pupil, data = learner(regularizer), batch(3)
    weights, gradients = theta(pupil), pupil.meta_gradients(data)
    draws = np.random.default_rng(0)
    moves = {name: STEP * draws.normal(size=weight.shape) for name, weight in weights.items()}
    up, down = (moved(weights, moves, sign) for sign in (1, -1))
    difference = objective(regularizer, up, data) - objective(regularizer, down, data)
    slope = 2 * flat(gradients) @ flat(moves)
    np.testing.assert_allclose(slope / STEP, difference / STEP, rtol=1e-5, atol=1e-6)
    plain = learner().meta_gradients(data)
    assert np.abs(flat(gradients) - flat(plain)).max() > 1e-3


@pytest.mark.parametrize("kind", [FOMAML, ANIL, BOIL])
@pytest.mark.parametrize("regularizer", [EntropyTAML(0.0), InequalityTAML(weight=0.0)])
def test_without_weight_it_is_the_plain_learner_bit_for_bit(kind, regularizer):
    with_it = learner(regularizer, kind=kind).meta_gradients(batch(2))
    without = learner(kind=kind).meta_gradients(batch(2))
    np.testing.assert_array_equal(flat(with_it), flat(without))


@pytest.mark.parametrize("regularizer", [EntropyTAML(1.0), InequalityTAML("gini", 1.0)])
def test_reported_measures_are_those_without_it(regularizer):
    (_, found), (_, expected) = (
        one.meta_gradients(batch(2), True) for one in (learner(regularizer), learner())
    )
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_a_batch_of_equal_tasks_is_not_pushed():
    data = chosen(batch(2), [1, 1])
    found = learner(InequalityTAML("ge", 1.0)).meta_gradients(data)
    np.testing.assert_allclose(flat(found), flat(learner().meta_gradients(data)), atol=1e-7)


def test_regression_knows_inequality_and_no_entropy():
    def line():
        return mlp(1, (1,), hidden=(4,), activation="tanh", dtype="float64")

    pupil = learner(InequalityTAML(weight=1.0), backbone=line, loss="mean_squared_error")
    plain = learner(backbone=line, loss="mean_squared_error")
    found, without = (flat(one.meta_gradients(regression())) for one in (pupil, plain))
    assert np.abs(found - without).max() > 1e-3
    with pytest.raises(ValueError, match="a regression has none of"):
        learner(EntropyTAML(), backbone=line, loss="mean_squared_error")


def test_losses_of_zero_are_not_pushed():
    for form in FORMS:
        pushed = InequalityTAML(form).couple(tf.constant([0.0, 1.0, 2.0, 0.0])).numpy()
        assert np.isfinite(pushed).all()
        assert (pushed[[0, 3]] == 0).all()
        assert (pushed[1:3] != 0).any()


def test_losses_of_zero_alone_push_nothing():
    for form in FORMS:
        np.testing.assert_array_equal(InequalityTAML(form).couple(tf.zeros(3)), np.zeros(3))


def test_the_first_pass_makes_the_draws_of_the_second():
    class Noisy(InequalityTAML):
        def weights(self, weights, key):
            noise = tf.random.stateless_normal([len(weights)], key, dtype=tf.float64)
            factors = zip(weights.items(), tf.unstack(noise))
            return {name: weight * (1 + 0.5 * n) for (name, weight), n in factors}

        def penalty(self, run):
            seen.append(float(run.initial_outcome.loss))
            return super().penalty(run)

        def summary(self, run):
            return super().summary(run)

        def couple(self, summaries):
            first.extend(summaries.numpy())
            return super().couple(summaries)

    first, seen = [], []
    learner(Noisy()).meta_gradients(batch(3))
    np.testing.assert_allclose(first, seen, rtol=1e-6)


@pytest.mark.parametrize("regularizer", [EntropyTAML(), InequalityTAML()])
def test_learners_that_do_not_adapt_by_steps_are_refused(regularizer):
    with pytest.raises(ValueError, match="no inner steps: both are the same. Received: ProtoNet"):
        ProtoNet(smooth_mlp(way=None), regularizers=[regularizer])


def test_a_single_task_has_nobody_to_equal():
    with pytest.raises(ValueError, match="at least two tasks"):
        learner(InequalityTAML()).meta_gradients(batch(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"measure": "hoover"}, "must be one of"),
        ({"alpha": 2.0}, "`alpha` is for 'ge'"),
        ({"measure": "ge", "epsilon": 2.0}, "`epsilon` is for 'atkinson'"),
        ({"measure": "atkinson", "epsilon": 0.0}, "must be positive"),
        ({"weight": -1.0}, "must not be negative"),
        ({"subnetworks": True}, "before their masks are drawn"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InequalityTAML(**arguments)
    if "weight" in arguments:
        with pytest.raises(ValueError, match=message):
            EntropyTAML(**arguments)
