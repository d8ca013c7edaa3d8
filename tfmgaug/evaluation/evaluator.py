"""Honest evaluation: frozen episodes, every inner step, every statistics mode."""

import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.episode import Episode
from tfmgaug.evaluation.frozen import Fingerprint, as_sampler, frozen_dataset, settings
from tfmgaug.evaluation.report import Report
from tfmgaug.learners.batches import checked_tasks, to_episodes

# learner -> {(mode, inner steps, settings, shapes): function}
_traced = weakref.WeakKeyDictionary()


def evaluate(
    learner: keras.Model,
    classes: Any,
    way: int = 5,
    shot: int = 1,
    query: int = 15,
    episodes: int = 600,
    seed: int = 0,
    statistics: str | Sequence[str] = ("transductive", "support"),
    tasks: int = 4,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Evaluates a learner on frozen episodes, before adaptation and after each inner step.

    Episodes depend on `(seed, episode index)` and the data alone, so that any two learners meet
    the same ones; `compare` makes use of it. Nothing is pruned. Memory doesn't grow with
    `episodes`.

    Args:
        learner: a `MetaLearner`.
        classes: `ImageClasses` to draw from, or a sampler with a `dataset` method (an
            `EpisodeSampler`, a `SinusoidSampler`), whose way, shot, query, tasks and seed hold
            instead of the arguments.
        way: classes of an episode.
        shot: support images of a class.
        query: query images of a class.
        episodes: number of episodes, and the n of the interval.
        seed: seed of the episodes.
        statistics: batch-normalization modes to evaluate: `"transductive"` (statistics of the
            query batch), `"support"` (of the support set; what a deployed model can do),
            `"running"`.
        tasks: episodes in a batch. Changes the speed, never the result.
        name: the report's name; by default the learner's class.
        progress: called with (episodes done, episodes) after each batch.

    Returns:
        A `Report` with the accuracy (classification) and the loss of every episode.

    Raises:
        ValueError: if a mode is unknown, `episodes` is less than 2, or a label is out of range or
            of a class without support.

    Example:
        >>> report = tfmgaug.evaluate(learner, test, way=5, shot=1)
        >>> print(report.table())
    """
    started = time.monotonic()
    modes = _checked_modes(statistics)
    sampler = as_sampler(classes, way, shot, query, tasks, seed)
    dataset = frozen_dataset(sampler, episodes)
    fingerprint, done = Fingerprint(), 0
    losses, accuracies = {mode: [] for mode in modes}, {mode: [] for mode in modes}
    for inputs, query_y in dataset:
        checked_tasks((inputs, query_y), learner.classification, learner.way)
        fingerprint.update(inputs, query_y)
        for mode in modes:
            loss, accuracy = _outcomes(learner, mode, dataset.element_spec)(inputs, query_y)
            losses[mode].append(loss.numpy())
            accuracies[mode].append(accuracy.numpy())
        done += len(query_y)
        if progress is not None:
            progress(done, episodes)
    return Report(
        name=name or type(learner).__name__,
        fingerprint=str(fingerprint),
        loss=_joined(losses),
        accuracy=_joined(accuracies) if learner.classification else {},
        seconds=time.monotonic() - started,
        **settings(sampler),
    )


def _checked_modes(statistics: str | Sequence[str]) -> tuple[str, ...]:
    modes = (statistics,) if isinstance(statistics, str) else tuple(statistics)
    if not modes:
        raise ValueError("`statistics` must name at least one mode. Received none.")
    return tuple(batch_statistics.check_mode(mode) for mode in modes)


def _joined(batches: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    return {mode: np.concatenate(parts) for mode, parts in batches.items()}


def _outcomes(learner, mode: str, element_spec):
    """The learner's outcome function for batches of tasks, traced once."""
    signature = tf.nest.map_structure(_any_number_of_tasks, element_spec)
    settings = getattr(learner, "graph_key", None)
    key = (mode, learner.evaluation_steps, settings, tuple(tf.nest.flatten(signature)))
    functions = _traced.setdefault(learner, {})
    for old in [other for other in functions if other[2] != settings]:
        del functions[old]
    if key not in functions:
        functions[key] = _traceable(learner, mode, signature)
    return functions[key]


def _any_number_of_tasks(spec: tf.TensorSpec) -> tf.TensorSpec:
    return tf.TensorSpec([None, *spec.shape[1:]], spec.dtype)


def _traceable(learner, mode: str, signature):
    # A weak reference, or the cache would keep every learner that was ever evaluated.
    reference = weakref.ref(learner)

    def outcome(episode: Episode) -> tuple[tf.Tensor, tf.Tensor]:
        measured = reference().step_outcomes(episode, mode)
        loss = measured["loss"]
        return loss, measured.get("accuracy", tf.zeros_like(loss))

    @tf.function(input_signature=signature, autograph=False)
    def outcomes(inputs, query_y):
        episodes = to_episodes((inputs, query_y), reference().classification)
        steps = [reference().evaluation_steps + 1]
        return tf.map_fn(
            outcome,
            episodes,
            fn_output_signature=(tf.TensorSpec(steps), tf.TensorSpec(steps)),
            parallel_iterations=getattr(reference(), "parallel_tasks", 4),
        )

    return outcomes
