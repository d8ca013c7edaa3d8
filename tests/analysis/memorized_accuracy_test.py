import numpy as np
import pytest

from tests.helpers.numpy_network import NumpyNetwork, learner, plain_mlp, sampler
from tests.helpers.toys import toy_classes
from tfmgaug.analysis import memorization
from tfmgaug.analysis.subnetworks import attached, draw
from tfmgaug.backbones import mlp
from tfmgaug.data import SinusoidSampler
from tfmgaug.engine.network import Network
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import ANIL, FOMAML, MAML, ProtoNet
from tfmgaug.masks import CatfishMask, ParameterMask, WidthMask


@pytest.mark.parametrize("kind", [MAML, ANIL])
def test_the_full_network_is_what_evaluation_reports(kind):
    pupil, tasks = learner(kind, statistics="support"), sampler()
    report = memorization(pupil, tasks, ParameterMask(), rates=[0.3], episodes=5)
    expected = evaluate(pupil, tasks, episodes=5, statistics="support")
    np.testing.assert_array_equal(report.accuracy[:, 0], expected.values())
    np.testing.assert_allclose(report.loss[:, 0], expected.values(metric="loss"), rtol=1e-6)
    assert report.fingerprint == expected.fingerprint


def test_catfish_subnetworks_are_what_numpy_prunes_and_adapts():
    pupil, tasks = learner(), sampler()
    rates = (0.1, 0.4)
    report = memorization(pupil, tasks, CatfishMask(), rates=rates, episodes=3)
    network = NumpyNetwork(pupil.backbone)
    for number in range(3):
        episode = tasks.episode(number)
        for place, rate in enumerate(rates, start=1):
            mask = network.catfish_mask(episode, rate)
            for step in range(3):
                weights = network.adapted(episode, mask, 0.5, step)
                queries = episode.query_x, episode.query_y, weights
                np.testing.assert_allclose(
                    report.loss[number, place, step], network.loss(*queries), rtol=1e-5
                )
                assert report.accuracy[number, place, step] == pytest.approx(
                    network.accuracy(*queries)
                )


def test_it_names_what_was_pruned_and_whether_labels_were_read():
    report = memorization(learner(), sampler(), WidthMask(), rates=[0.1, 0.5], episodes=2)
    assert [network.pruned for network in report.networks] == [0.0, 0.0, 0.5]
    assert [network.rate for network in report.networks] == [0.0, 0.1, 0.5]
    assert not report.reads_query_labels
    # Nothing pruned, nothing changed.
    np.testing.assert_array_equal(report.loss[:, 0], report.loss[:, 1])
    assert np.abs(report.loss[:, 0] - report.loss[:, 2]).min() > 0


def test_higher_rates_prune_what_lower_ones_prune_and_tasks_differ():
    pupil, tasks = learner(), sampler()
    mask, theta = attached(ParameterMask(), pupil), pupil.meta_params
    low, high = (
        draw(pupil, mask, theta, None, rate, tasks.episode(0), 0)["dense1_kernel"].numpy()
        for rate in (0.2, 0.6)
    )
    other = draw(pupil, mask, theta, None, 0.6, tasks.episode(1), 0)["dense1_kernel"].numpy()
    assert (high <= low).all()
    assert (high != other).any()
    assert high.size - high.sum() == int(0.6 * high.size)


def test_a_mask_that_serves_another_learner_is_left_alone():
    mask = CatfishMask()
    mask.attach(Network(plain_mlp(hidden=(2, 2))))
    before = list(mask.prunable)
    memorization(learner(), sampler(), mask, rates=[0.1], episodes=2)
    assert mask.prunable == before


def knows_by_heart(groups, classes):
    """A network whose hidden units are the classes' patterns, and their outputs the groups."""
    backbone = mlp(3, (4, 4, 1), (len(classes.counts),), normalization=False)
    patterns = np.stack([classes.images[o].ravel() for o in classes.offsets[:-1]]) / 127.5 - 1
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    of_group = np.zeros([len(patterns), 3])
    for label, members in enumerate(groups):
        of_group[members, label] = 1
    backbone.set_weights([patterns.T, np.zeros(len(patterns)), 10 * of_group**5, np.zeros(3)])
    return FOMAML(backbone, inner_steps=1, inner_learning_rate=0.0)


def test_memory_shows_before_adaptation_where_labels_are_fixed_and_only_there():
    classes = toy_classes(classes=6, images=6, size=4)
    fixed, shuffled = sampler(mutually_exclusive=False), sampler()
    pupil = knows_by_heart(fixed.groups, classes)
    by_heart, by_chance = (
        memorization(pupil, tasks, CatfishMask(), rates=[0.5], episodes=40)
        for tasks in (fixed, shuffled)
    )
    assert by_heart.summary(0, 0).mean > 0.9
    assert by_chance.summary(0, 0).mean == pytest.approx(1 / 3, abs=0.15)
    # The mask takes away what carries the memory.
    assert by_heart.gap(1, 0).mean < -0.2
    assert (by_heart.mutually_exclusive, by_chance.mutually_exclusive) == (False, True)


def test_a_learner_without_inner_steps_has_one_column():
    pupil = ProtoNet(plain_mlp(way=None))
    report = memorization(pupil, sampler(), CatfishMask(), rates=[0.2], episodes=3)
    assert report.accuracy.shape == (3, 2, 1)
    assert report.steps == 0


def test_regression_has_losses_alone():
    pupil = FOMAML(
        mlp(1, (1,), (5,), normalization=False), inner_steps=1, loss="mean_squared_error"
    )
    report = memorization(pupil, SinusoidSampler(tasks=2), ParameterMask(), rates=[0.2], episodes=3)
    assert (report.metric, report.accuracy, report.loss.shape) == ("loss", None, (3, 2, 2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rates": [0.1, 0.1]}, "different shares"),
        ({"rates": [1.0]}, "0 < rate < 1"),
        ({"episodes": 1}, "at least 2"),
        ({"statistics": "batch"}, "statistics"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        memorization(learner(), sampler(), CatfishMask(), **{"episodes": 2, **change})
