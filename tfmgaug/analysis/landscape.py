"""The landscape of support losses: curvature, trajectories, gradients, and what they agree in."""

import time

import numpy as np
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.analysis.coherence import with_the_others
from tfmgaug.analysis.curvature import gradient, hessian_product, spectral_norm
from tfmgaug.analysis.frozen_tasks import traced
from tfmgaug.analysis.landscape_report import Landscape
from tfmgaug.analysis.support_losses import (
    added_up,
    initial_weights,
    refuse_without_inner_steps,
    support_loss,
    total,
)
from tfmgaug.analysis.vectors import dot, norm, unit
from tfmgaug.data.indexed import check_integer
from tfmgaug.evaluation.frozen import Fingerprint, settings
from tfmgaug.randomness import fold, key


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
        learner,
        sampler,
        tasks=60,
        *,
        steps=None,
        statistics=None,
        curvature=True,
        tolerance=1e-3,
        max_iterations=50,
        seed=0,
        name=None,
    ):
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
        self._graphs = None

    def measure(self, progress=None):
        """Measures the learner as it is now.

        Args:
            progress: called with (tasks done, tasks) after each batch.

        Returns:
            A `Landscape`.
        """
        started = time.monotonic()
        add_up, measure = self._graphs or self._trace()
        sums = [tf.constant(part) for part in total(add_up(*b) for b in self._dataset)]
        fingerprint, found, done = Fingerprint(), [], 0
        for inputs, query_y in self._dataset:
            fingerprint.update(inputs, query_y)
            found.append({n: part.numpy() for n, part in measure(inputs, query_y, sums).items()})
            done += len(query_y)
            if progress is not None:
                progress(done, self.tasks)
        values = {name: np.concatenate([batch[name] for batch in found]) for name in found[0]}
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

    def _trace(self):
        signature = self._dataset.element_spec
        start = list(initial_weights(self.learner).values())
        # Directions, gradients, and gradients of length one.
        like = [tf.TensorSpec(part.shape, part.dtype) for _ in range(3) for part in start]
        self._graphs = (
            traced(self.learner, self._add_up, signature),
            traced(self.learner, self._measure, signature, like),
        )
        return self._graphs

    def _add_up(self, episodes):
        like = 3 * list(initial_weights(self.learner).values())

        def vectors(episode):
            _, moved, gradients = self._adapted(episode)
            return [*unit(moved), *gradients, *unit(gradients)]

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
        size = len(sums) // 3
        directions, inner, cosines = (sums[n * size :][:size] for n in range(3))
        logits = self.learner.predict_state(state, episode.query_x, None, self.statistics)
        query = self.learner.outcome(logits, episode.query_y).named()
        loss = support_loss(self.learner, episode)
        weights = [state[name] for name in initial_weights(self.learner)]
        found = {
            **{f"query_{name}": value for name, value in query.items()},
            "support_loss": loss(weights),
            "trajectory_norm": norm(moved),
            "trajectory_coherence": self._in_common(unit(moved), directions),
            "gradient_coherence": self._in_common(gradients, inner),
            "gradient_cosine": self._in_common(unit(gradients), cosines),
        }
        found = {n: tf.cast(value, tf.float64) for n, value in found.items()}
        return {**found, **(self._curvature(loss, weights, episode) if self.curvature else {})}

    def _adapted(self, episode):
        """Adapts to a task, and returns the state, how the weights moved, and where they would."""
        initial = initial_weights(self.learner)
        state = self.learner.adapt_in_evaluation(
            self.learner.start(),
            episode.support_x,
            episode.support_y,
            self.steps,
            None,
            self.statistics,
        )
        moved = [state[name] - weight for name, weight in initial.items()]
        loss = support_loss(self.learner, episode)
        gradients = gradient(loss, list(initial.values()), list(initial))
        return state, moved, [-part for part in gradients]

    def _in_common(self, vector, summed):
        return with_the_others(dot(vector, summed), dot(vector, vector), self.tasks)

    def _curvature(self, loss, weights, episode):
        found = spectral_norm(
            lambda vector: hessian_product(loss, weights, vector),
            weights,
            fold(key(self.seed), episode.index, "lanczos"),
            self.tolerance,
            self.max_iterations,
        )
        relative = tf.math.divide_no_nan(found.residual, found.norm)
        return {"curvature": found.norm, "residual": relative, "iterations": found.iterations}


def landscape(learner, sampler, tasks=60, progress=None, **options):
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
