"""The pixel floor: the accuracy of raw pixels without any learning."""

import time
from typing import Any

import numpy as np

from tfmgaug.evaluation.frozen import Fingerprint, as_sampler, frozen_dataset, settings
from tfmgaug.evaluation.report import NO_STATISTICS, Report
from tfmgaug.learners.batches import checked_tasks


def pixel_floor(
    classes: Any,
    way: int = 5,
    shot: int = 1,
    query: int = 15,
    episodes: int = 600,
    seed: int = 0,
    tasks: int = 4,
) -> Report:
    """Accuracy of the nearest class centroid in raw pixels, on the episodes of `evaluate`.

    A learner that doesn't beat it has learned nothing.

    Args:
        classes: `ImageClasses`, or an `EpisodeSampler` whose settings hold instead.
        way: classes of an episode.
        shot: support images of a class.
        query: query images of a class.
        episodes: number of episodes.
        seed: seed of the episodes.
        tasks: episodes in a batch. Changes the speed, never the result.

    Returns:
        A `Report` with one statistics mode, `"none"`, and no inner steps.

    Raises:
        ValueError: if `episodes` is less than 2, or a query's class has no support.
    """
    started = time.monotonic()
    sampler = as_sampler(classes, way, shot, query, tasks, seed)
    fingerprint, accuracies = Fingerprint(), []
    for inputs, query_y in frozen_dataset(sampler, episodes):
        checked_tasks((inputs, query_y), classification=True, way=None)
        fingerprint.update(inputs, query_y)
        accuracies += [
            nearest_centroid_accuracy(*task)
            for task in zip(
                inputs["support_x"].numpy(),
                inputs["support_y"].numpy(),
                inputs["query_x"].numpy(),
                query_y.numpy(),
                strict=True,
            )
        ]
    return Report(
        name="pixel floor",
        fingerprint=str(fingerprint),
        loss={},
        accuracy={NO_STATISTICS: np.array(accuracies)[:, None]},
        seconds=time.monotonic() - started,
        **settings(sampler),
    )


def nearest_centroid_accuracy(
    support_x: np.ndarray, support_y: np.ndarray, query_x: np.ndarray, query_y: np.ndarray
) -> float:
    """Share of queries whose nearest class centroid is that of their class; ties go to the first.

    Args:
        support_x: `[support, ...]`.
        support_y: `[support]` integers.
        query_x: `[queries, ...]`.
        query_y: `[queries]` integers.

    Returns:
        The accuracy, from 0 to 1.
    """
    support, queries = (
        np.reshape(x, [len(x), -1]).astype(np.float64) for x in (support_x, query_x)
    )
    labels = np.unique(support_y)
    centroids = np.stack([support[support_y == label].mean(axis=0) for label in labels])
    # |q - c|^2 without |q|^2, which is the same for every centroid.
    distances = np.sum(centroids**2, axis=1) - 2 * queries @ centroids.T
    return float(np.mean(labels[np.argmin(distances, axis=1)] == query_y))
