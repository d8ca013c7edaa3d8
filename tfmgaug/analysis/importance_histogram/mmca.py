"""The measurement of MMCA scores: how much memory each weight carries."""

import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from tfmgaug.analysis import subnetworks
from tfmgaug.analysis.frozen_tasks import over_tasks
from tfmgaug.analysis.importance_histogram.report import Importance
from tfmgaug.engine.params import Params, name_of
from tfmgaug.episode import Episode
from tfmgaug.masks import CatfishMask
from tfmgaug.masks.mask import Mask, prunable_layers, prune_top
from tfmgaug.types import Learner

# Tenths of a decade; what is below counts as zero.
_LOW, _HIGH, _PER_DECADE = -16, 4, 10
_BINS = (_HIGH - _LOW) * _PER_DECADE


def importance(
    learner: Learner,
    sampler: Any,
    rate: float = 0.2,
    score: Literal["query_loss", "meta_gradient"] = "query_loss",
    episodes: int = 100,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Importance:
    """Measures the distribution of MMCA scores, with the share that catfish pruning removes.

    `MMCA_j = |dL(theta; D_query) / dtheta_j * theta_j|` at the weights before adaptation: the
    scores of `CatfishMask`, which reads the queries' labels.

    Args:
        learner: `MetaLearner`.
        sampler: `EpisodeSampler`, or a `SinusoidSampler`.
        rate: share pruned, in (0, 1).
        score: "query_loss" or "meta_gradient"; see `CatfishMask`.
        episodes: int >= 2, how many tasks.
        name: of the result; by default the learner's class.
        progress: called with (tasks done, tasks) after each batch.

    Returns:
        An `Importance`.

    Raises:
        ValueError: an argument is out of range, or the backbone can't be pruned.

    Example:
        >>> scores = importance(learner, tasks, rate=0.2)
        >>> tfmgaug.figures.save(tfmgaug.figures.importance_histogram(scores), "mmca.png")

    Reference:
        Wang et al., MGAug, Eq. 5, Remark 1 and Figure 2.
    """
    started = time.monotonic()
    (rate,) = subnetworks.checked_rates(float(rate))
    mask = subnetworks.attached(CatfishMask(rate, score), learner)
    kernels = {
        name_of(layer.kernel): layer
        for layer in prunable_layers(learner.backbone, learner.classifier)
    }
    layers = [kernels[name] for name in mask.prunable]

    def task(theta, episode):
        scores = list(mmca_scores(learner, mask, theta, episode).values())
        parts = [_parts(layer_scores, rate) for layer_scores in scores]
        return {
            "counts": tf.stack([_histogram(*pair) for pair in zip(scores, parts)]),
            "totals": tf.stack([_totals(*pair) for pair in zip(scores, parts)]),
        }

    outputs = {"counts": tf.int32, "totals": tf.float32}
    arrays, tasks = over_tasks(learner, task, outputs, sampler, episodes, progress)
    return Importance(
        name=name or type(learner).__name__,
        rate=rate,
        layers=tuple(layer.name for layer in layers),
        sizes=tuple(int(np.prod(layer.kernel.shape)) for layer in layers),
        edges=10 ** np.linspace(_LOW, _HIGH, _BINS + 1),
        counts=arrays["counts"],
        totals=arrays["totals"],
        seconds=time.monotonic() - started,
        **tasks,
    )


def mmca_scores(learner: Learner, mask: Mask, theta: Params, episode: Episode) -> Params:
    """Scores the weights that can be pruned.

    Args:
        learner: `MetaLearner`.
        mask: `CatfishMask`, attached to the learner.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.

    Returns:
        Tensors by the names of these weights.
    """
    gradients = subnetworks.scoring_gradients(learner, mask, theta, episode)
    with learner.scope(theta):
        weights = learner.network.params
    return {name: tf.abs(gradients[name] * weights[name]) for name in mask.prunable}


def _parts(scores, rate):
    """The number in `PARTS` of each weight."""
    rate = tf.constant(rate, tf.float64)
    pruned = prune_top(scores, rate) == 0
    # Of a rate above one half, the weights that both would remove count as pruned.
    least = prune_top(-scores, rate) == 0
    return tf.where(pruned, 0, tf.where(least, 2, 1))


def _histogram(scores, parts):
    """Counts weights, `[3, 1 + bins]`."""
    decades = tf.math.log(tf.cast(scores, tf.float64)) / np.log(10.0)
    place = tf.floor((decades - _LOW) * _PER_DECADE)
    place = tf.cast(tf.clip_by_value(place, -1, _BINS - 1), tf.int32) + 1
    cells = tf.reshape(parts * (_BINS + 1) + place, [-1])
    counts = tf.math.unsorted_segment_sum(tf.ones_like(cells), cells, 3 * (_BINS + 1))
    return tf.reshape(counts, [3, _BINS + 1])


def _totals(scores, parts):
    flat = tf.reshape(tf.cast(scores, tf.float32), [-1])
    return tf.math.unsorted_segment_sum(flat, tf.reshape(parts, [-1]), 3)
