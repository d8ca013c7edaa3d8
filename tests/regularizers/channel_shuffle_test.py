import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, flat, images, scatter, small_conv, smooth_mlp, task, theta
from tfmgaug.backbones import mlp
from tfmgaug.engine.context import Context
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import ChannelShuffle, MaxUp, MetaMix

KEYS = [fold(key(0), number) for number in range(60)]
LABELS = np.array([2, 0, 1, 1, 2, 0], "int32")


def learner(*regularizers, kind=MAML, **options):
    embeds = kind is ProtoNet
    settings = {} if embeds else {"inner_steps": 2, "inner_learning_rate": 0.3}
    backbone = smooth_mlp(None if embeds else 3)
    return scatter(kind(backbone, regularizers=regularizers, **{**settings, **options}))


def shuffled(one_key, channels=30, labels=LABELS, **options):
    """For each example and channel, from which example the channel comes."""
    shuffle = ChannelShuffle(**{"probability": 1.0, "keep": 0.6, "depths": [1], **options})
    shuffle.class_places = ("stage1",)
    x = np.tile(np.arange(len(labels), dtype="float32")[:, None], channels)
    return shuffle.class_activations(tf.constant(x), "stage1", tf.constant(labels), one_key).numpy()


def test_each_class_takes_channels_from_one_other_class():
    for one_key in KEYS[:10]:
        sources = shuffled(one_key).astype(int)
        givers = {}
        for example, row in enumerate(sources):
            (other,) = set(row) - {example}
            assert givers.setdefault(LABELS[example], LABELS[other]) == LABELS[other]
        assert all(taker != giver for taker, giver in givers.items())
        assert sorted(givers.values()) == [0, 1, 2]


def test_examples_take_from_those_that_stand_where_they_stand():
    sources = shuffled(KEYS[0]).astype(int)
    place = np.array([0, 0, 0, 1, 1, 1])  # within its class
    for example, row in enumerate(sources):
        assert set(place[row]) == {place[example]}


def test_a_class_takes_the_same_channels_in_all_its_examples():
    for one_key in KEYS[:5]:
        taken = shuffled(one_key) != np.arange(6)[:, None]
        for label in range(3):
            first, second = taken[label == LABELS]
            np.testing.assert_array_equal(first, second)
        assert (taken[LABELS == 0] != taken[LABELS == 1]).any()


def test_support_and_queries_are_shuffled_alike():
    other = np.repeat(np.arange(3, dtype="int32"), 3)
    for one_key in KEYS[:5]:
        support, query = shuffled(one_key), shuffled(one_key, labels=other)
        for example, label in enumerate(LABELS):
            row = query[np.argmax(other == label)]
            taken = support[example] != example
            np.testing.assert_array_equal(taken, row != np.argmax(other == label))
            giver = LABELS[int(support[example][taken][0])]
            assert other[int(row[taken][0])] == giver


def test_as_many_channels_stay_and_tasks_are_shuffled_as_asked_for():
    stayed = np.mean([shuffled(k, keep=0.8) == np.arange(6)[:, None] for k in KEYS])
    np.testing.assert_allclose(stayed, 0.8, atol=0.02)
    acted = [(shuffled(k, probability=0.3) != np.arange(6)[:, None]).any() for k in KEYS]
    np.testing.assert_allclose(np.mean(acted), 0.3, atol=0.15)


def test_gaps_in_the_labels_change_nothing():
    for one_key in KEYS[:5]:
        found = shuffled(one_key, labels=np.array([1, 4, 7], "int32")[LABELS])
        np.testing.assert_array_equal(found, shuffled(one_key))


def test_smaller_classes_are_gone_through_again():
    labels = np.array([0, 0, 0, 1], "int32")
    sources = shuffled(KEYS[1], labels=labels).astype(int)
    assert set(sources[2]) == {2, 3}
    assert set(sources[3]) == {0, 3}


@pytest.mark.parametrize(
    ("kind", "nothing"),
    [
        (MAML, {"probability": 0.0}),
        (FOMAML, {"keep": 1.0}),
        (ANIL, {"keep": 1.0}),
        (BOIL, {"probability": 0.0}),
        (ProtoNet, {"keep": 1.0}),
    ],
)
def test_where_nothing_is_shuffled_it_is_the_plain_learner(kind, nothing):
    (found, measured), (expected, measures) = (
        learner(*given, kind=kind).meta_gradients(batch(1), True)
        for given in ([ChannelShuffle(**nothing)], [])
    )
    # Adding up the zeros of what is not taken reorders sums at second order.
    np.testing.assert_allclose(flat(found), flat(expected), rtol=1e-12, atol=1e-15)
    for name in measures:
        np.testing.assert_array_equal(measured[name], measures[name])


def test_the_loss_is_that_of_shuffled_support_and_queries():
    pupil, episode = learner(ChannelShuffle(1.0, 0.6, depths=[1]), kind=ProtoNet), task(batch())
    outcome = task_gradient(pupil, episode).outcome
    embeddings, weights, stages = {}, theta(pupil), pupil.network.stages
    context = Context(training=True)
    for part in ("support", "query"):
        x, labels = getattr(episode, f"{part}_x"), getattr(episode, f"{part}_y").numpy()
        h = pupil.network(weights, x, context, model=stages[0])[0].numpy()
        sources = shuffled(pupil.task_key(episode), h.shape[1], labels).astype(int)
        h = np.take_along_axis(h, sources, 0)
        embeddings[part] = pupil.network(weights, h, context, model=stages[1])[0].numpy()
    prototypes = embeddings["support"].reshape(3, 2, -1).mean(1)
    logits = -((embeddings["query"][:, None] - prototypes) ** 2).sum(2)
    logarithms = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -logarithms[np.arange(6), episode.query_y].mean()
    np.testing.assert_allclose(outcome.loss, expected, rtol=1e-9)


@pytest.mark.parametrize(("kind", "passes"), [(MAML, 4), (ANIL, 2), (ProtoNet, 2)])
def test_all_passes_over_a_task_are_shuffled_with_its_key(kind, passes):
    class Watched(ChannelShuffle):
        def class_activations(self, x, place, labels, key):
            watched.append((place, *key.numpy()))
            return super().class_activations(x, place, labels, key)

    watched, episode = [], task(batch())
    pupil = learner(Watched(depths=[1]), kind=kind, statistics="support")
    task_gradient(pupil, episode)
    # Of MAML two inner steps, the statistics at the end and the queries; ANIL's body is run once.
    assert watched == passes * [("stage1", *pupil.task_key(episode).numpy())]


@pytest.mark.parametrize("kind", [MAML, ANIL, ProtoNet])
def test_meta_gradients_equal_finite_differences(kind):
    regularizers = [ChannelShuffle(1.0, 0.6), MetaMix()]
    pupil = learner(*regularizers, kind=kind, statistics="support")
    assert_gradient_is_exact(pupil, task(batch()), directions=1)


def test_with_nothing_mixed_in_metamix_shuffles_alone():
    together = learner(ChannelShuffle(1.0, depths=[1, 2]), MetaMix((1.0, 1e-30), depths=[1, 2]))
    alone = learner(ChannelShuffle(1.0, depths=[1, 2]))
    found, expected = (flat(one.meta_gradients(batch(1))) for one in (together, alone))
    np.testing.assert_array_equal(found, expected)
    plain = flat(learner().meta_gradients(batch(1)))
    assert np.abs(expected - plain).max() > 1e-3


def test_it_shuffles_convolutions():
    data = images(1)
    shuffling, plain = (
        FOMAML(small_conv(fused=False), inner_steps=1, regularizers=given)
        for given in ([ChannelShuffle(1.0)], [])
    )
    found, expected = (flat(one.meta_gradients(data)) for one in (shuffling, plain))
    assert np.isfinite(found).all()
    assert np.abs(found - expected).max() > 1e-3


def test_what_it_has_no_meaning_for_is_refused():
    with pytest.raises(ValueError, match="a regression has none of"):
        learner(ChannelShuffle(), loss="mean_squared_error")
    with pytest.raises(ValueError, match="MaxUp mixes labels"):
        FOMAML(mlp(3, (8, 8, 1), hidden=(4,)), regularizers=[MaxUp(), ChannelShuffle()])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"probability": 1.5}, "`probability` must be from 0 to 1"),
        ({"keep": 0.5}, "`keep` must be above 1/2"),
        ({"depths": [0, 1]}, "`depths` must be at least 1"),
        ({"depths": [3]}, "must be below 3, the number of stages"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        learner(ChannelShuffle(**arguments))
