"""The evaluation of a function on the same frozen tasks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.episode import Episode
from tfmgaug.evaluation.frozen import Fingerprint, settings
from tfmgaug.learners.batches import checked_tasks, to_episodes
from tfmgaug.types import Learner, Tensor


class FrozenTasks:
    """A function of each of a sampler's first tasks, in one graph that reads the present weights.

    Args:
        learner: `MetaLearner`.
        function: function of (theta, episode) to a dictionary of tensors, where theta is
            `learner.meta_params` and the episode is an `Episode` of one task. Traced once.
        outputs: dictionary from the names of these tensors to their dtypes.
        sampler: `EpisodeSampler` or `SinusoidSampler`.
        episodes: int >= 2, how many tasks.

    Raises:
        ValueError: `episodes` is less than 2: one task alone has no interval.
    """

    def __init__(
        self,
        learner: Learner,
        function: Callable[[Params, Episode], dict[str, Tensor]],
        outputs: dict[str, tf.DType],
        sampler: Any,
        episodes: int,
    ) -> None:
        if episodes < 2:
            raise ValueError(
                "`episodes` must be at least 2: one task alone has no interval. "
                f"Received: episodes={episodes}."
            )
        self._sampler, self._episodes, self._names = sampler, episodes, list(outputs)
        self._dataset = sampler.dataset(episodes=episodes)

        def of_batch(episodes):
            theta = learner.meta_params
            return tf.map_fn(
                lambda episode: function(theta, episode),
                episodes,
                fn_output_signature=outputs,
                parallel_iterations=learner.parallel_tasks,
            )

        self._run = traced(learner, of_batch, self._dataset.element_spec)

    def measure(
        self, progress: Callable[[int, int], None] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Computes the function of all tasks.

        Args:
            progress: called with (tasks done, tasks) after each batch.

        Returns:
            A dictionary of arrays `[episodes, ...]`, and one that says which tasks these were.
        """
        fingerprint, batches, done = Fingerprint(), [], 0
        for inputs, query_y in self._dataset:
            fingerprint.update(inputs, query_y)
            tensors = self._run(inputs, query_y)
            batches.append({name: value.numpy() for name, value in tensors.items()})
            done += len(query_y)
            if progress is not None:
                progress(done, self._episodes)
        arrays = {name: np.concatenate([batch[name] for batch in batches]) for name in self._names}
        return arrays, _described(self._sampler, str(fingerprint))


def over_tasks(
    learner: Learner,
    function: Callable[[Params, Episode], dict[str, Tensor]],
    outputs: dict[str, tf.DType],
    sampler: Any,
    episodes: int,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Computes a function of each of a sampler's tasks once; arguments are those of `FrozenTasks`.

    Returns:
        As `FrozenTasks.measure`.
    """
    return FrozenTasks(learner, function, outputs, sampler, episodes).measure(progress)


def traced(
    learner: Learner, function: Callable[..., Any], signature: Any, *more: Any
) -> Callable[..., Any]:
    """Traces a function of a batch of tasks.

    Args:
        learner: `MetaLearner`, whose variables are read once, before the function is called.
        function: function of an `Episode` with a leading task axis, and of what `more` describes.
        signature: what a dataset of a sampler yields, its `element_spec`.
        *more: nested `tf.TensorSpec`s.

    Returns:
        A function of inputs, query_y and more, traced again once a setting of the learner changes.
    """

    def run(inputs, query_y, *rest):
        # Variables are read once, here: reading one within the loop would order its iterations.
        with learner.scope(learner.meta_params):
            return function(to_episodes((inputs, query_y), learner.classification), *rest)

    def trace():
        graph = tf.function(run, input_signature=(*signature, *more), autograph=False)
        # Called as it is traced: TensorFlow would warn that each analysis traces one of its own.
        return graph.get_concrete_function()

    graphs = {learner.graph_key: trace()}

    def call(inputs, query_y, *rest):
        checked_tasks((inputs, query_y), learner.classification, learner.way)
        key = learner.graph_key
        if key not in graphs:
            graphs.clear()
            graphs[key] = trace()
        return graphs[key](inputs, query_y, *rest)

    return call


def _described(sampler, fingerprint):
    return {
        **settings(sampler),
        "mutually_exclusive": getattr(sampler, "mutually_exclusive", None),
        "fingerprint": fingerprint,
    }
