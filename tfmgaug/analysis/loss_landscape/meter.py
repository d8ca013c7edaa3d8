"""The landscape of support losses: curvature, trajectories, gradients, and what they agree in."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.analysis.frozen_tasks import traced
from tfmgaug.analysis.loss_landscape.coherence import with_the_others
from tfmgaug.analysis.loss_landscape.curvature import gradient, hessian_product, spectral_norm
from tfmgaug.analysis.loss_landscape.report import Landscape
from tfmgaug.analysis.loss_landscape.support_losses import (
    added_up,
    initial_weights,
    refuse_without_inner_steps,
    support_loss,
    task_of,
    total,
)
from tfmgaug.analysis.loss_landscape.vectors import dot, minus, norm, unit
from tfmgaug.data.indexed import check_integer
from tfmgaug.engine import prediction
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, select
from tfmgaug.evaluation.frozen import Fingerprint, settings
from tfmgaug.randomness import fold, key
from tfmgaug.types import Learner


class _Sums(NamedTuple):
    """What a first pass adds up over tasks.

    Attributes:
        directions: unit vectors from weights before adaptation to weights after it.
        gradients: of the support loss before adaptation, negative.
        unit_gradients: these at length one.
    """

    directions: Params
    gradients: Params
    unit_gradients: Params


class LandscapeMeter:
    """Measures the landscape of a learner again and again, on the same tasks and in one graph.

    A first pass over the tasks adds up directions and gradients, a second one measures each task
    and what it has in common with these sums: memory is that of the tasks computed side by side,
    however many there are.

    Args:
        learner: `MetaLearner` with inner steps.
        sampler: `EpisodeSampler` or `SinusoidSampler`.
        tasks: int >= 3, how many. The paper has 60 for curvature and 500 for coherence.
        steps: int >= 1, inner steps; None: those of the learner's evaluation. The paper takes one
            step, in training too, where it looks at gradients.
        statistics: "transductive", "support" or "running", of queries; None: the learner's own.
        curvature: bool, whether curvature is measured. Most of the time goes into it.
        tolerance: float > 0, relative, of the curvature.
        max_iterations: int >= 1, products with the Hessian at most.
        seed: int, of what Lanczos iteration starts from.
        name: of the report; None: the learner's class.

    Raises:
        ValueError: an argument is out of range, or the learner has no inner steps.

    Example:
        >>> meter = LandscapeMeter(learner, tasks_of_test_classes, tasks=60)
        >>> print(meter.measure())

    Reference:
        Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning, 2019,
        https://arxiv.org/abs/1907.07287, Section 4.
    """

    def __init__(
        self,
        learner: Learner,
        sampler: Any,
        tasks: int = 60,
        *,
        steps: int | None = None,
        statistics: str | None = None,
        curvature: bool = True,
        tolerance: float = 1e-3,
        max_iterations: int = 50,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        refuse_without_inner_steps(learner)
        self.learner = learner
        self.sampler = sampler
        self.tasks = check_integer("tasks", tasks, minimum=3)
        self.steps = learner.evaluation_steps if steps is None else check_integer("steps", steps)
        self.statistics = batch_statistics.check_mode(statistics or learner.statistics)
        self.curvature = curvature
        if not tolerance > 0:
            raise ValueError(f"`tolerance` must be positive. Received: tolerance={tolerance}.")
        self.tolerance = tolerance
        self.max_iterations = check_integer("max_iterations", max_iterations)
        self.seed = seed
        self.name = name or type(learner).__name__
        self._dataset = sampler.dataset(episodes=self.tasks)
        self._adding: Any = None
        self._measuring: Any = None

    def measure(self, progress: Callable[[int, int], None] | None = None) -> Landscape:
        """Measures the learner as it is now.

        Args:
            progress: called with (tasks done, tasks) after each batch.

        Returns:
            A `Landscape`.
        """
        started = time.monotonic()
        sums = self._sums()
        if self._measuring is None:
            like = tf.nest.map_structure(tf.TensorSpec.from_tensor, sums)
            self._measuring = traced(self.learner, self._measure, self._dataset.element_spec, like)
        fingerprint, batches, done = Fingerprint(), [], 0
        for inputs, query_y in self._dataset:
            fingerprint.update(inputs, query_y)
            measured = self._measuring(inputs, query_y, sums)
            batches.append({name: part.numpy() for name, part in measured.items()})
            done += len(query_y)
            if progress is not None:
                progress(done, self.tasks)
        values = {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}
        iterations, residuals = values.pop("iterations", None), values.pop("residual", None)
        return Landscape(
            name=self.name,
            steps=self.steps,
            statistics=self.statistics,
            fingerprint=str(fingerprint),
            values=values,
            iterations=iterations,
            residuals=residuals,
            tolerance=self.tolerance,
            seconds=time.monotonic() - started,
            **settings(self.sampler),
        )

    def _sums(self):
        if self._adding is None:
            self._adding = traced(self.learner, self._add_up, self._dataset.element_spec)
        sums = total(self._adding(*batch) for batch in self._dataset)
        return tf.nest.map_structure(tf.constant, sums)

    def _add_up(self, episodes):
        like = _Sums(*3 * [initial_weights(self.learner, task_of(episodes, 0))])

        def vectors(episode):
            _, moved, gradients = self._adapted(episode)
            return _Sums(unit(moved), gradients, unit(gradients))

        return added_up(vectors, episodes, like, self.learner.parallel_tasks)

    def _measure(self, episodes, sums):
        names = [*self._names(), *(("iterations",) if self.curvature else ())]
        return tf.map_fn(
            lambda episode: self._of_task(episode, sums),
            episodes,
            fn_output_signature={
                name: tf.int32 if name == "iterations" else tf.float64 for name in names
            },
            parallel_iterations=self.learner.parallel_tasks,
        )

    def _names(self):
        names = ["support_loss", "query_loss", "trajectory_norm"]
        names += ["trajectory_coherence", "gradient_coherence", "gradient_cosine"]
        names += ["query_accuracy"] if self.learner.classification else []
        return names + (["curvature", "residual"] if self.curvature else [])

    def _of_task(self, episode, sums):
        state, moved, gradients = self._adapted(episode)
        logits, _ = prediction.query(self.learner, state, episode.query_x, self._context)
        query = self.learner.outcome(logits, episode.query_y).named()
        loss = support_loss(self.learner, episode)
        weights = select(state, moved)
        measures = {
            **{f"query_{name}": value for name, value in query.items()},
            "support_loss": loss(weights),
            "trajectory_norm": norm(moved),
            "trajectory_coherence": self._in_common(unit(moved), sums.directions),
            "gradient_coherence": self._in_common(gradients, sums.gradients),
            "gradient_cosine": self._in_common(unit(gradients), sums.unit_gradients),
        }
        measures = {n: tf.cast(value, tf.float64) for n, value in measures.items()}
        return {**measures, **(self._curvature(loss, weights, episode) if self.curvature else {})}

    def _adapted(self, episode):
        """Adapts to a task, and returns the state, how the weights moved, and where they would."""
        initial = initial_weights(self.learner, episode)
        support = episode.support_x, episode.support_y
        start = self.learner.initial_state(self._context.starting_from(*support))
        state = prediction.adapt(self.learner, start, *support, self._context, self.steps)
        moved = minus(select(state, initial), initial)
        gradients = gradient(support_loss(self.learner, episode), initial)
        return state, moved, {name: -part for name, part in gradients.items()}

    @property
    def _context(self):
        return Context(statistics=self.statistics)

    def _in_common(self, vector, summed):
        return with_the_others(dot(vector, summed), dot(vector, vector), self.tasks)

    def _curvature(self, loss, weights, episode):
        spectrum = spectral_norm(
            lambda vector: hessian_product(loss, weights, vector),
            weights,
            fold(key(self.seed), episode.index, "lanczos"),
            self.tolerance,
            self.max_iterations,
        )
        relative = tf.math.divide_no_nan(spectrum.residual, spectrum.norm)
        return {"curvature": spectrum.norm, "residual": relative, "iterations": spectrum.iterations}


def landscape(
    learner: Learner,
    sampler: Any,
    tasks: int = 60,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Landscape:
    """Measures the landscape of a learner once.

    Args:
        learner: `MetaLearner` with inner steps.
        sampler: `EpisodeSampler` or `SinusoidSampler`.
        tasks: int >= 3, how many.
        progress: called with (tasks done, tasks) after each batch.
        **options: of `LandscapeMeter`.

    Returns:
        A `Landscape`.

    Raises:
        ValueError: an argument is out of range, or the learner has no inner steps.

    Example:
        >>> report = landscape(learner, tasks_of_test_classes)
        >>> report.summary("curvature").mean
    """
    return LandscapeMeter(learner, sampler, tasks, **options).measure(progress)
