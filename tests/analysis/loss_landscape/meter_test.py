"""Every metric against its definition, task by task and pair by pair."""

import itertools

import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from tests.analysis.loss_landscape.curvature_test import full_hessian
from tests.helpers.numpy_network import NumpyNetwork, learner, sampler
from tests.helpers.tasks import flat, smooth_mlp
from tfmgaug.analysis import GradientCoherenceMeter, LandscapeMeter, landscape
from tfmgaug.analysis.loss_landscape.coherence import (
    pairwise_mean,
    summarize_pairs,
    with_the_others,
)
from tfmgaug.analysis.loss_landscape.support_losses import support_loss
from tfmgaug.backbones import mlp
from tfmgaug.data import SinusoidSampler
from tfmgaug.episode import Episode
from tfmgaug.evaluation import half_width
from tfmgaug.learners import ANIL, MAML, ProtoNet

TASKS, RATE, STEPS = 6, 0.5, 2


def episodes():
    return [sampler().episode(index) for index in range(TASKS)]


@pytest.fixture(scope="module")
def pupil():
    return learner()


@pytest.fixture(scope="module")
def report(pupil):
    return landscape(pupil, sampler(), TASKS, tolerance=1e-6)


@pytest.fixture(scope="module")
def by_hand(pupil):
    network, rows = NumpyNetwork(pupil.backbone), []
    for episode in episodes():
        support = (episode.support_x.astype(float), episode.support_y)
        query = (episode.query_x.astype(float), episode.query_y)
        adapted = network.adapted(episode, np.ones_like(network.weights[0]), RATE, STEPS)
        rows.append(
            {
                "moved": flat(a - w for a, w in zip(adapted, network.weights)),
                "gradient": -flat(network.gradient(*support, network.weights)),
                "support_loss": network.loss(*support, adapted),
                "query_loss": network.loss(*query, adapted),
                "query_accuracy": network.accuracy(*query, adapted),
                "adapted": adapted,
            }
        )
    return rows


@pytest.mark.parametrize("metric", ["support_loss", "query_loss", "query_accuracy"])
def test_losses_and_accuracies_are_those_after_adaptation(report, by_hand, metric):
    np.testing.assert_allclose(report.values[metric], [r[metric] for r in by_hand], rtol=1e-7)


def test_trajectories_are_as_long_as_from_the_initial_to_the_adapted_weights(report, by_hand):
    expected = [np.linalg.norm(row["moved"]) for row in by_hand]
    np.testing.assert_allclose(report.values["trajectory_norm"], expected, rtol=1e-9)


def unit(vector):
    return vector / np.linalg.norm(vector)


def brute_force(vectors):
    return np.mean([a @ b for a, b in itertools.permutations(vectors, 2)])


def test_coherence_is_the_mean_over_all_pairs_of_tasks(report, by_hand):
    moved, gradients = ([row[name] for row in by_hand] for name in ("moved", "gradient"))
    expected = {
        "trajectory_coherence": brute_force(list(map(unit, moved))),
        "gradient_coherence": brute_force(gradients),
        "gradient_cosine": brute_force(list(map(unit, gradients))),
    }
    for metric, value in expected.items():
        np.testing.assert_allclose(report.summary(metric).mean, value, rtol=1e-9)
        assert len(report.values[metric]) == TASKS
    others = [unit(moved[2]) @ unit(v) for n, v in enumerate(moved) if n != 2]
    np.testing.assert_allclose(report.values["trajectory_coherence"][2], np.mean(others), rtol=1e-9)


def test_curvature_is_the_largest_absolute_eigenvalue_at_the_adapted_weights(
    pupil, report, by_hand
):
    for number, episode in enumerate(episodes()):
        loss = support_loss(pupil, Episode(*map(tf.constant, episode)))
        adapted = by_hand[number]["adapted"]
        weights = {n: tf.constant(w) for n, w in zip(pupil.network.variables, adapted)}
        exact = np.abs(scipy.linalg.eigvalsh(full_hessian(loss, weights))).max()
        np.testing.assert_allclose(report.values["curvature"][number], exact, rtol=1e-5)
    assert report.converged == 1.0
    assert (report.iterations > 1).all()


def test_one_coherence_alone_is_the_same_number(pupil, report):
    found = GradientCoherenceMeter(pupil, sampler(), TASKS).measure()
    np.testing.assert_allclose(found, report.summary("gradient_coherence").mean, rtol=1e-9)


@pytest.mark.parametrize("side_by_side", [1, 3, 6])
def test_how_tasks_are_batched_does_not_matter(pupil, report, side_by_side):
    again = landscape(pupil, sampler(tasks=side_by_side), TASKS, curvature=False)
    assert "curvature" not in again.values
    assert again.fingerprint == report.fingerprint
    for metric, values in again.values.items():
        np.testing.assert_allclose(values, report.values[metric], rtol=1e-9)


def test_a_meter_follows_the_weights_in_one_graph():
    pupil = learner()
    meter = LandscapeMeter(pupil, sampler(), 3, curvature=False)
    first, graphs = meter.measure(), (meter._adding, meter._measuring)
    for variable in pupil.backbone.trainable_variables:
        variable.assign(0.5 * variable)
    second = meter.measure()
    assert (meter._adding, meter._measuring) == graphs
    expected = landscape(pupil, sampler(), 3, curvature=False)
    for metric, values in second.values.items():
        np.testing.assert_allclose(values, expected.values[metric], rtol=1e-12)
    assert (first.values["trajectory_norm"] != second.values["trajectory_norm"]).all()


def test_steps_can_be_others_than_the_learners():
    one = landscape(learner(), sampler(), 3, steps=1, curvature=False)
    expected = landscape(learner(inner_steps=1), sampler(), 3, curvature=False)
    np.testing.assert_array_equal(one.values["query_loss"], expected.values["query_loss"])
    assert one.steps == 1


def test_learners_that_adapt_a_part_move_in_that_part_alone():
    part, whole = (landscape(learner(kind, inner_steps=1), sampler(), 3) for kind in (ANIL, MAML))
    assert (part.values["trajectory_norm"] < whole.values["trajectory_norm"]).all()
    assert np.isfinite(part.values["curvature"]).all()


def test_regressions_have_no_accuracy():
    backbone = mlp(1, (1,), hidden=(5, 5), normalization=False)
    pupil = MAML(backbone, loss="mean_squared_error", inner_steps=1)
    report = landscape(pupil, SinusoidSampler(shot=3), 4)
    assert "query_accuracy" not in report.metrics
    assert report.summary("query_loss").mean > 0
    assert report.way is None


def test_the_report_is_read_and_written(report):
    found = report.to_json()
    assert set(found["metrics"]) == set(report.metrics) == set(found["per_task"])
    assert found["metrics"]["curvature"]["mean"] == report.summary("curvature").mean
    assert "per_task" not in report.to_json(per_task=False)
    text = str(report)
    assert "6 tasks" in text
    assert "100 % of tasks within 1e-06" in text
    with pytest.raises(ValueError, match="must be one of support_loss"):
        report.summary("sharpness")


def test_the_interval_of_a_mean_over_pairs_is_the_jackknifes():
    vectors = np.random.default_rng(0).normal(size=(7, 3)) + 1
    total, squares = vectors.sum(0), np.sum(vectors**2, axis=1)
    found = summarize_pairs(with_the_others(vectors @ total, squares, 7))
    whole = brute_force(vectors)
    np.testing.assert_allclose(found.mean, whole)
    np.testing.assert_allclose(pairwise_mean(total @ total, squares.sum(), 7), whole)
    without = [brute_force(np.delete(vectors, number, axis=0)) for number in range(7)]
    error = np.sqrt(6 / 7 * np.sum((np.array(without) - whole) ** 2))
    np.testing.assert_allclose(found.interval, half_width(error, 7))


def test_queries_that_are_normalized_one_by_one_are_measured_as_evaluation_does():
    pupil = learner(statistics="one_by_one")
    found = landscape(pupil, sampler(), 3, curvature=False).values["query_loss"]
    expected = [pupil.step_outcomes(episode)["loss"][-1] for episode in episodes()[:3]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_bad_learners_and_arguments_are_refused():
    with pytest.raises(ValueError, match="without inner steps has none. Received: ProtoNet"):
        LandscapeMeter(ProtoNet(smooth_mlp(way=None)), sampler())
    with pytest.raises(ValueError, match="without inner steps"):
        GradientCoherenceMeter(ProtoNet(smooth_mlp(way=None)), sampler())
    with pytest.raises(ValueError, match="`tasks` must be at least 3"):
        LandscapeMeter(learner(), sampler(), 2)
    with pytest.raises(ValueError, match="must be positive. Received: tolerance=0"):
        LandscapeMeter(learner(), sampler(), 3, tolerance=0)
