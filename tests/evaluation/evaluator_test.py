import gc
import weakref

import numpy as np
import pytest

from tests.helpers.toys import IndexLearner, toy_classes
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.evaluation import evaluate

SETTINGS = {"way": 3, "shot": 1, "query": 2}


def test_every_episode_step_and_mode_is_where_it_belongs():
    report = evaluate(IndexLearner(), toy_classes(), **SETTINGS, episodes=6, tasks=4)
    expected = np.arange(6)[:, None] + np.arange(3)
    np.testing.assert_array_equal(report.values("transductive"), expected)
    np.testing.assert_array_equal(report.values("support"), -expected)
    np.testing.assert_array_equal(report.values("support", "loss"), -2 * expected)
    assert (report.way, report.shot, report.query, report.seed) == (3, 1, 2, 0)
    assert (report.name, report.dataset) == ("IndexLearner", "toy/test")


def test_batch_size_changes_nothing():
    reports = [
        evaluate(IndexLearner(), toy_classes(), **SETTINGS, episodes=5, tasks=tasks)
        for tasks in (2, 5)
    ]
    assert len({report.fingerprint for report in reports}) == 1
    for report in reports:
        np.testing.assert_array_equal(report.values(), reports[0].values())


@pytest.mark.parametrize("change", [{"seed": 1}, {"shot": 2}, {"episodes": 4}])
def test_other_episodes_have_another_fingerprint(change):
    settings = {**SETTINGS, "episodes": 5}
    first = evaluate(IndexLearner(), toy_classes(), **settings)
    other = evaluate(IndexLearner(), toy_classes(), **{**settings, **change})
    assert first.fingerprint != other.fingerprint


def test_other_images_have_another_fingerprint():
    first, other = (
        evaluate(IndexLearner(), toy_classes(seed=seed), **SETTINGS, episodes=2) for seed in (0, 1)
    )
    assert first.fingerprint != other.fingerprint


def test_a_mode_is_traced_once_however_often_it_is_evaluated():
    learner = IndexLearner()
    for episodes in (6, 7, 8):
        evaluate(learner, toy_classes(), **SETTINGS, episodes=episodes)
    assert learner.traces == 2


def test_changed_steps_are_not_ignored():
    learner = IndexLearner()
    evaluate(learner, toy_classes(), **SETTINGS, episodes=2)
    learner.evaluation_steps = 4
    assert evaluate(learner, toy_classes(), **SETTINGS, episodes=2).inner_steps == 4


def test_evaluated_learners_are_not_kept_alive():
    learner = IndexLearner()
    evaluate(learner, toy_classes(), **SETTINGS, episodes=2)
    reference = weakref.ref(learner)
    del learner
    gc.collect()
    assert reference() is None


def test_regression_has_losses_only():
    learner = IndexLearner()
    learner.classification = False
    report = evaluate(learner, toy_classes(), **SETTINGS, episodes=3, statistics="support")
    assert report.metric == "loss"
    assert report.statistics == ("support",)
    np.testing.assert_array_equal(report.values()[:, 0], [0, -2, -4])


def test_a_sampler_brings_its_own_settings():
    sampler = EpisodeSampler(toy_classes(), way=2, shot=3, query=1, tasks=2, seed=5)
    report = evaluate(IndexLearner(), sampler, way=5, episodes=3)
    assert (report.way, report.shot, report.query, report.seed) == (2, 3, 1, 5)


def test_progress_is_told():
    told = []
    evaluate(
        IndexLearner(),
        toy_classes(),
        **SETTINGS,
        episodes=5,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(4, 5), (5, 5)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"statistics": "batch"}, "must be one of"),
        ({"statistics": ()}, "at least one"),
        ({"episodes": 1}, "at least 2"),
    ],
)
def test_bad_arguments_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        evaluate(IndexLearner(), toy_classes(), **{**SETTINGS, "episodes": 2, **change})
