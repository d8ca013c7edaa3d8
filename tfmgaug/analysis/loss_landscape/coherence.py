"""The agreement of vectors of tasks: means over pairs."""

import math
from typing import Any

import numpy as np

from tfmgaug.evaluation.intervals import half_width
from tfmgaug.evaluation.summary import Summary


def pairwise_mean(squared_sum: Any, sum_of_squares: Any, number: int) -> Any:
    """Averages the inner products of all pairs of different vectors.

    `mean_{i != j} v_i . v_j = (|sum_i v_i|^2 - sum_i |v_i|^2) / (n (n - 1))`.

    Args:
        squared_sum: `|sum_i v_i|^2`.
        sum_of_squares: `sum_i |v_i|^2`.
        number: n, at least 2.

    Returns:
        A float.

    Example:
        >>> vectors = np.eye(3)
        >>> pairwise_mean(np.sum(vectors.sum(0) ** 2), np.sum(vectors**2), 3)
        0.0
    """
    return float(squared_sum - sum_of_squares) / (number * (number - 1))


def with_the_others(with_sum: Any, square: Any, number: int) -> Any:
    """Averages the inner products of one vector with all others.

    `c_i = (v_i . sum_j v_j - |v_i|^2) / (n - 1)`, the mean of which over i is `pairwise_mean`.

    Args:
        with_sum: `v_i . sum_j v_j`, of any shape.
        square: `|v_i|^2`, of this shape.
        number: n, at least 2.

    Returns:
        `c_i`, of this shape.
    """
    return (with_sum - square) / (number - 1)


def summarize_pairs(values: np.ndarray) -> Summary:
    """Summarizes what each task has in common with the others.

    The tasks' values share their pairs, so that the interval is twice as wide as that of
    independent ones. It is the jackknife's: without task i, the mean over pairs is off by
    `2 (mean - c_i) / (n - 2)`.

    Args:
        values: `[tasks]`, the `c_i` of `with_the_others`, at least three.

    Returns:
        A `Summary`: the mean over pairs, the standard deviation over tasks, and half the width of
        the mean's 95 % interval (Student's t of n - 1 degrees of freedom).

    Reference:
        Arvesen, Jackknifing U-statistics, 1969, https://doi.org/10.1214/aoms/1177697287.
    """
    values = np.asarray(values, np.float64)
    number = len(values)
    left_out = 2 * (np.mean(values) - values) / (number - 2)
    error = math.sqrt((number - 1) / number * np.sum(left_out**2))
    deviation = float(np.std(values, ddof=1))
    return Summary(float(np.mean(values)), deviation, half_width(error, number), number)
