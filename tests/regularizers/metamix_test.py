import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import (
    batch,
    flat,
    regression,
    scatter,
    small_conv,
    smooth_mlp,
    task,
    theta,
)
from tfmgaug.backbones import mlp
from tfmgaug.engine.params import replace
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import MetaMix, metamix

SHARE = 0.3
PARTNERS = [4, 0, 5, 2, 1, 3]
ALONE = (1.0, 1e-30)  # the Beta distribution whose draws are all one


def learner(*regularizers, kind=MAML, **options):
    embeds = kind is ProtoNet
    settings = {} if embeds else {"inner_steps": 2, "inner_learning_rate": 0.3}
    backbone = smooth_mlp(None if embeds else 3)
    return scatter(kind(backbone, regularizers=regularizers, **{**settings, **options}))


class Known(MetaMix):
    """Mixes by a share and partners that are known."""

    partners = PARTNERS

    def draw(self, *arguments):
        drawn = super().draw(*arguments)
        return drawn._replace(share=tf.constant(SHARE), partners=tf.constant(self.partners))


class Network:
    """The adapted MLP in numpy: normalized by each batch, or by the support set."""

    def __init__(self, pupil, episode):
        context = pupil.training_context(episode)
        initial, mode = pupil.initial_state(context), context.statistics
        state = pupil.adapt_state(initial, episode.support_x, episode.support_y, context)
        weights = replace(pupil.network.params, state)
        self.w = {name: np.array(value) for name, value in weights.items()}
        self.state = {name: np.array(value) for name, value in state.items()}
        self.mode = mode

    def stage(self, h, number):
        if number == 3 and "head_kernel" in self.w:
            return h @ self.w["head_kernel"] + self.w["head_bias"]
        z = h @ self.w[f"dense{number}_kernel"]
        mean, variance = z.mean(0), z.var(0)
        if self.mode == "support":
            mean, variance = (self.state[f"norm{number}_{n}"] for n in ("mean", "variance"))
        normed = (z - mean) / np.sqrt(variance + 1e-3)
        return np.tanh(self.w[f"norm{number}_gamma"] * normed + self.w[f"norm{number}_beta"])

    def logits(self, h):
        if "head_kernel" in self.w:
            return h
        h = h - self.state["origin"]
        distances = h[:, None] - self.state["prototypes"][None]
        return -(distances**2).sum(-1)


def mixed_logits(network, episode, depth, stages):
    query, support = episode.query_x.numpy(), episode.support_x.numpy()
    for number in range(1, stages + 1):
        if number == depth + 1:
            query = SHARE * query + (1 - SHARE) * support[PARTNERS]
        query, support = network.stage(query, number), network.stage(support, number)
    return network.logits(query)


def cross_entropy(logits, labels):
    logarithms = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    return -np.mean(logarithms[np.arange(len(labels)), labels])


@pytest.mark.parametrize(
    ("kind", "statistics", "depth"),
    [
        (MAML, "transductive", 0),
        (MAML, "support", 1),
        (ANIL, "support", 2),
        (BOIL, "running", 1),
        (ProtoNet, "transductive", 1),
        (ProtoNet, "support", 0),
    ],
)
def test_the_loss_is_that_of_the_formula(kind, statistics, depth):
    pupil = learner(Known(depths=[depth]), kind=kind, statistics=statistics)
    episode = task(batch())
    network = Network(pupil, episode)
    logits = mixed_logits(network, episode, depth, stages=2 if kind is ProtoNet else 3)
    labels = [episode.query_y.numpy(), episode.support_y.numpy()[PARTNERS]]
    shares = (SHARE, 1 - SHARE)
    outcome = task_gradient(pupil, episode).outcome
    expected = sum(s * cross_entropy(logits, y) for s, y in zip(shares, labels))
    np.testing.assert_allclose(outcome.loss, expected, rtol=1e-7)
    expected = sum(s * np.mean(logits.argmax(1) == y) for s, y in zip(shares, labels))
    np.testing.assert_allclose(outcome.accuracy, expected, rtol=1e-6)


def test_regression_mixes_targets():
    partners, mixing = [4, 0, 3, 2, 1], Known(depths=[0])
    mixing.partners = partners
    backbone = mlp(1, (1,), hidden=(4,), normalization=False, activation="tanh", dtype="float64")
    options = {"loss": "mean_squared_error", "regularizers": [mixing]}
    pupil, episode = scatter(MAML(backbone, inner_steps=1, **options)), task(regression())
    mixed = {
        part: SHARE * getattr(episode, f"query_{part}")
        + (1 - SHARE) * tf.gather(getattr(episode, f"support_{part}"), partners)
        for part in ("x", "y")
    }
    outcome = task_gradient(pupil, episode).outcome
    state = pupil.adapted_state(episode.support_x, episode.support_y)
    found = pupil.probabilities(state, mixed["x"])
    np.testing.assert_allclose(outcome.loss, np.mean((found - mixed["y"]) ** 2), rtol=1e-7)


@pytest.mark.parametrize("kind", [MAML, FOMAML, ANIL, BOIL, ProtoNet])
def test_with_nothing_mixed_in_it_is_the_plain_learner_bit_for_bit(kind):
    mixing, plain = learner(MetaMix(ALONE), kind=kind), learner(kind=kind)
    (found, measured), (expected, measures) = (
        one.meta_gradients(batch(1), True) for one in (mixing, plain)
    )
    np.testing.assert_array_equal(flat(found), flat(expected))
    for name in measures:
        np.testing.assert_array_equal(measured[name], measures[name])


def test_convolutions_with_nothing_mixed_in_are_those_of_the_plain_learner():
    data = batch(1, shape=(16, 16, 1))
    mixing, plain = (
        FOMAML(small_conv(fused=False), inner_steps=1, regularizers=regularizers)
        for regularizers in ([MetaMix(ALONE)], [])
    )
    found, expected = (flat(one.meta_gradients(data)) for one in (mixing, plain))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", [MAML, ANIL, ProtoNet])
def test_meta_gradients_equal_finite_differences(kind):
    pupil = learner(MetaMix(), kind=kind, statistics="support")
    assert_gradient_is_exact(pupil, task(batch()), directions=1)


def draws_of(pupil, number):
    """Measures, for each of some tasks, with which share and at which depth it was mixed."""
    seen = []

    class Run:
        learner, episode = pupil, task(batch())

        def hidden(self, x, depth, start=0):
            return tf.zeros([6, 1]) if x is self.episode.query_x else tf.ones([6, 1])

        def from_hidden(self, query, depth):
            seen.append(1 - float(query[0, 0]))
            return tf.zeros([6, 3])

    for index in range(number):
        run = Run()
        run.key = fold(key(0), index)
        pupil.regularizers[0].outcome(run)
    return np.array(seen)


@pytest.mark.parametrize(("concentration", "variance"), [(None, 1 / 20), (0.5, 1 / 8)])
def test_shares_are_drawn_for_each_task(concentration, variance):
    shares = draws_of(learner(MetaMix(concentration, depths=[0])), 100)
    np.testing.assert_allclose(shares.mean(), 0.5, atol=0.1)
    np.testing.assert_allclose(shares.var(), variance, rtol=0.4)


def test_the_depth_is_drawn_from_those_allowed():
    def losses(depths):
        pupil = learner(Known(depths=depths), kind=ProtoNet)
        outcomes = [task_gradient(pupil, task(batch(first=n)), w).outcome for n in range(6)]
        return {float(outcome.loss) for outcome in outcomes}

    w = theta(learner(kind=ProtoNet))
    first, second, either = losses([0]), losses([1]), losses(None)
    assert not first & second
    assert either <= first | second
    assert either & first
    assert either & second


@pytest.mark.parametrize(("queries", "examples"), [(6, 6), (75, 5), (7, 3), (2, 9)])
def test_partners_are_support_examples_each_equally_often(queries, examples):
    found = [metamix._partners(queries, examples, fold(key(0), n)).numpy() for n in range(40)]
    for partners in found:
        counts = np.bincount(partners, minlength=examples)
        assert counts.sum() == queries
        assert counts.max() - counts.min() <= 1
    taken = np.mean([np.bincount(p, minlength=examples) for p in found], 0)
    np.testing.assert_allclose(taken, queries / examples, atol=0.35)
    assert len({tuple(partners) for partners in found}) > 20


def test_running_statistics_come_from_plain_queries():
    pupils = [learner(*given, statistics="running") for given in ((), (MetaMix(),))]
    plain, mixing = (flat(task_gradient(one, task(batch())).statistics) for one in pupils)
    np.testing.assert_array_equal(mixing, plain)


def test_it_works_in_the_graph_of_a_batch():
    pupil = learner(MetaMix(), kind=ProtoNet)
    graph = tf.function(pupil.meta_gradients, autograph=False)
    np.testing.assert_allclose(
        flat(graph(batch())), flat(pupil.meta_gradients(batch())), rtol=1e-9, atol=1e-14
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"concentration": 0.0}, "`concentration` must be positive"),
        ({"concentration": (1.0, -1.0)}, "`concentration` must be positive"),
        ({"concentration": (1.0, 1.0, 1.0)}, "`concentration` must be a number or"),
        ({"depths": []}, "`depths` must be"),
        ({"depths": [-1]}, "`depths` must be"),
        ({"depths": [1, 1]}, "`depths` must be"),
        ({"depths": [3]}, "must be below 3, the number of stages"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        learner(MetaMix(**arguments))
