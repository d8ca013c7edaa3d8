import numpy as np
import pytest

from tests.helpers.toys import IndexLearner, toy_classes
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.evaluation import evaluate, pixel_floor
from tfmgaug.evaluation.floor import nearest_centroid_accuracy


def test_nearest_centroid_of_points_on_a_line():
    support_x, support_y = [[0.0], [2.0], [10.0], [12.0]], np.array([0, 0, 1, 1])
    query_x, query_y = [[1.0], [5.9], [6.1], [6.1]], np.array([0, 0, 1, 0])
    assert nearest_centroid_accuracy(support_x, support_y, query_x, query_y) == 0.75


def test_floor_is_one_for_clean_classes_and_chance_for_noise():
    settings = {"way": 4, "shot": 1, "query": 4, "episodes": 100}
    assert pixel_floor(toy_classes(noise=1.0), **settings).summary().mean == 1.0
    noise = toy_classes(classes=20, images=20)
    noise.images = np.random.default_rng(0).integers(0, 256, noise.images.shape, np.uint8)
    assert pixel_floor(noise, **settings).summary().mean == pytest.approx(0.25, abs=0.05)


def test_floor_and_learner_meet_the_same_episodes():
    settings = {"way": 3, "shot": 2, "query": 2, "episodes": 5, "seed": 3}
    floor = pixel_floor(toy_classes(), **settings, tasks=2)
    report = evaluate(IndexLearner(), toy_classes(), **settings, tasks=4)
    assert floor.fingerprint == report.fingerprint


def test_floor_equals_an_independent_loop_over_episodes():
    sampler = EpisodeSampler(toy_classes(noise=120.0), way=4, shot=2, query=3)
    right = []
    for index in range(10):
        episode = sampler.episode(index)
        for image, label in zip(episode.query_x, episode.query_y):
            distances = [
                np.sum((image - episode.support_x[episode.support_y == k].mean(0)) ** 2.0)
                for k in range(4)
            ]
            right.append(np.argmin(distances) == label)
    assert pixel_floor(sampler, episodes=10).summary().mean == pytest.approx(np.mean(right))
    assert 0.3 < np.mean(right) < 1.0


def test_floor_of_omniglot_is_the_published_one(shared_data):
    arrays = np.load(shared_data / "omniglot_28.npz")
    classes = toy_classes()
    classes.images = arrays["images"][arrays["vinyals_split"] == 2].reshape(-1, 28, 28, 1)
    classes.counts = np.full(423, 20)
    classes.offsets = np.arange(424) * 20
    summary = pixel_floor(classes).summary()
    assert summary.mean == pytest.approx(0.418, abs=2 * summary.interval)
