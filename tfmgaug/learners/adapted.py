"""A learner adapted to one task, which predicts new examples."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.learners import labels
from tfmgaug.learners.examples import read_examples, read_targets
from tfmgaug.types import ArrayLike, Learner


class Adapted:
    """A learner adapted to one task.

    Made by `learner.adapt`.

    Attributes:
        state: dictionary of named tensors: adapted weights, prototypes, statistics.
        statistics: the mode of batch normalization, "transductive", "support" or "running".
    """

    def __init__(self, learner: Learner, state: Params, predict: Callable, statistics: str) -> None:
        self.state = state
        self.statistics = statistics
        self._learner = learner
        self._predict = predict

    def predict(self, query_x: ArrayLike) -> np.ndarray:
        """Predicts new examples.

        Args:
            query_x: `[n, height, width, channels]` for images, in 0-255. Where the network takes
                one size alone, others are resized to it, as the exported model does.

        Returns:
            A float32 array: probabilities `[n, way]`, zero for classes without support; or values
            shaped like the backbone's outputs for regression.

        Raises:
            ValueError: the shape does not fit, or a number is not finite.

        Example:
            >>> learner.adapt(support_x, support_y).predict(query_x).argmax(axis=-1)
        """
        return self._predict(self.state, read_examples(self._learner, "query_x", query_x)).numpy()


def read_support(
    learner: Learner, support_x: ArrayLike, support_y: ArrayLike
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads a support set, or refuses it.

    Args:
        learner: `MetaLearner`.
        support_x: `[n, ...]`.
        support_y: `[n]` labels, or targets.

    Returns:
        The pair as arrays that the learner's network takes, labels as int32.

    Raises:
        ValueError: shapes or labels do not fit, or a number is not finite.
    """
    support_x = read_examples(learner, "support_x", support_x)
    numbers = np.asarray(support_y) if learner.classification else support_y
    if len(support_x) != len(numbers) or len(numbers) == 0:
        raise ValueError(
            "Expected as many labels as examples, at least one. "
            f"Received: {len(support_x)} examples and {len(numbers)} labels."
        )
    if not learner.classification:
        return support_x, read_targets(learner, "support_y", support_y)
    if numbers.ndim != 1 or not np.issubdtype(numbers.dtype, np.integer):
        raise ValueError(
            "Expected `support_y` as a vector of integer labels. "
            f"Received: shape {numbers.shape}, dtype {numbers.dtype}."
        )
    labels.checked(numbers, None, learner.way)
    return support_x, numbers.astype("int32")
