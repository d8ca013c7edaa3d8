"""A learner and the state it adapted to: what predicts new images."""

import numpy as np

from tfmgaug.data.pixels import check_pixels, takes_raw_pixels


class Adapted:
    """A learner adapted to one task.

    Made by `learner.adapt`.

    Attributes:
        state: dictionary of named tensors: adapted weights, prototypes, statistics.
        statistics: the mode of batch normalization, "transductive", "support" or "running".
    """

    def __init__(self, learner, state, predict, statistics):
        self.state = state
        self.statistics = statistics
        self._learner = learner
        self._predict = predict

    def predict(self, query_x):
        """Predicts new examples.

        Args:
            query_x: `[n, height, width, channels]` for images, in 0-255.

        Returns:
            A float32 array: probabilities `[n, way]`, zero for classes without support; or values
            `[n, outputs]` for regression.

        Raises:
            ValueError: the shape does not fit.

        Example:
            >>> learner.adapt(support_x, support_y).predict(query_x).argmax(axis=-1)
        """
        query_x = np.asarray(query_x)
        check_inputs(self._learner, "query_x", query_x)
        return self._predict(self.state, query_x).numpy()


def check_support(learner, support_x, support_y):
    """Refuses a support set that the learner can't adapt to.

    Args:
        learner: `MetaLearner`.
        support_x: `[n, ...]`.
        support_y: `[n]` labels, or `[n, outputs]` targets.

    Raises:
        ValueError: shapes or labels do not fit.
    """
    check_inputs(learner, "support_x", support_x)
    if len(support_x) != len(support_y) or len(support_y) == 0:
        raise ValueError(
            "Expected as many labels as examples, at least one. "
            f"Received: {len(support_x)} examples and {len(support_y)} labels."
        )
    if not learner.classification:
        return
    if support_y.ndim != 1 or not np.issubdtype(support_y.dtype, np.integer):
        raise ValueError(
            "Expected `support_y` as a vector of integer labels. "
            f"Received: shape {support_y.shape}, dtype {support_y.dtype}."
        )
    limit = learner.way
    if support_y.min() < 0 or (limit is not None and support_y.max() >= limit):
        raise ValueError(
            f"Expected labels from 0 to {'way - 1' if limit is None else limit - 1}. "
            f"Received: labels from {support_y.min()} to {support_y.max()}."
        )


def check_inputs(learner, name, x):
    """Refuses inputs of the wrong shape, and NaN.

    Args:
        learner: `MetaLearner`.
        name: of the argument.
        x: `[n, ...]`.

    Raises:
        ValueError: the shape is not `[n, *learner.example_shape]`, or a number is not finite.
    """
    expected = learner.example_shape
    if x.ndim != len(expected) + 1 or any(
        e is not None and e != r for e, r in zip(expected, x.shape[1:])
    ):
        raise ValueError(f"Expected `{name}` of shape {('n', *expected)}. Received: {x.shape}.")
    check_pixels(x, name, raw=takes_raw_pixels(learner.backbone), stacklevel=5)
