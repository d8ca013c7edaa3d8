"""The coherence of gradients alone, which needs nothing but support sets."""

from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.analysis.frozen_tasks import traced
from tfmgaug.analysis.loss_landscape.coherence import pairwise_mean
from tfmgaug.analysis.loss_landscape.curvature import gradient
from tfmgaug.analysis.loss_landscape.support_losses import (
    added_up,
    initial_weights,
    refuse_without_inner_steps,
    support_loss,
    task_of,
    total,
)
from tfmgaug.analysis.loss_landscape.vectors import dot
from tfmgaug.data.indexed import check_integer
from tfmgaug.types import Learner


class GradientCoherenceMeter:
    """Measures the coherence of gradients alone: one gradient a task, and no queries.

    `mean_{i != j} g_i . g_j` with `g_i = -dL_support_i/dtheta` at the weights before adaptation.

    Args:
        learner: `MetaLearner` with inner steps.
        sampler: `EpisodeSampler` or `SinusoidSampler`, of whose episodes the queries are not read.
        tasks: int >= 2, how many.

    Raises:
        ValueError: an argument is out of range, or the learner has no inner steps.

    Example:
        >>> GradientCoherenceMeter(learner, validation_tasks, tasks=60).measure()
    """

    def __init__(self, learner: Learner, sampler: Any, tasks: int = 60) -> None:
        refuse_without_inner_steps(learner)
        self.learner = learner
        self.tasks = check_integer("tasks", tasks, minimum=2)
        self._dataset = sampler.dataset(episodes=self.tasks)
        self._graph: Any = None

    def measure(self) -> float:
        """Returns the coherence of the learner as it is now, a float."""
        if self._graph is None:
            self._graph = traced(self.learner, self._add_up, self._dataset.element_spec)
        summed, squares = total(self._graph(*batch) for batch in self._dataset)
        squared_sum = sum(np.sum(np.square(part, dtype=np.float64)) for part in summed.values())
        return pairwise_mean(squared_sum, squares, self.tasks)

    def _add_up(self, episodes):
        like = (initial_weights(self.learner, task_of(episodes, 0)), tf.zeros([], tf.float64))

        def vectors(episode):
            loss = support_loss(self.learner, episode)
            gradients = gradient(loss, initial_weights(self.learner, episode))
            return gradients, dot(gradients, gradients)

        return added_up(vectors, episodes, like, self.learner.parallel_tasks)
