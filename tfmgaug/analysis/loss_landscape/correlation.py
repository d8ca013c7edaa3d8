"""Coefficients of correlation, with intervals."""

import math
from typing import NamedTuple

import numpy as np


class Correlation(NamedTuple):
    """How two series of numbers go together.

    Attributes:
        coefficient: from -1 to 1; NaN where one of the two never changes, or there are fewer than
            two points.
        low: lower end of its 95 % interval; NaN with fewer than four points, and for Spearman's
            coefficient of 1 or -1.
        high: upper end.
        points: number of points.
    """

    coefficient: float
    low: float
    high: float
    points: int

    def __str__(self) -> str:
        if math.isnan(self.coefficient):
            return "undefined"
        if math.isnan(self.low):
            return f"{self.coefficient:.2f} ({self.points} points)"
        return f"{self.coefficient:.2f} [{self.low:.2f}, {self.high:.2f}]"

    def to_json(self) -> dict:
        """The fields as a dictionary; what is NaN becomes None."""
        return {n: None if math.isnan(v) else v for n, v in self._asdict().items()}


def pearson(x: np.ndarray, y: np.ndarray) -> Correlation:
    """Pearson's coefficient, of linear correlation, with Fisher's interval.

    The interval takes the points for independent. Epochs of one run are not: it is then too narrow.

    Args:
        x: `[points]`.
        y: `[points]`. Points where either is not finite are left out.

    Returns:
        A `Correlation`.

    Raises:
        ValueError: the lengths differ.

    Example:
        >>> print(pearson(coherences, accuracies))
        0.87 [0.55, 0.97]
    """
    from scipy import stats  # which takes a second to import

    x, y = _finite_pairs(x, y)
    if _is_flat(x, y):
        return Correlation(math.nan, math.nan, math.nan, len(x))
    correlation = stats.pearsonr(x, y)
    low, high = correlation.confidence_interval() if len(x) > 3 else (math.nan, math.nan)
    return Correlation(float(correlation.statistic), float(low), float(high), len(x))


def spearman(x: np.ndarray, y: np.ndarray) -> Correlation:
    """Spearman's coefficient, of ranks, with Bonett and Wright's interval.

    `tanh(atanh(r) ± 1.96 sqrt((1 + r^2 / 2) / (n - 3)))`. It takes the points for independent, as
    that of `pearson`.

    Args:
        x: `[points]`.
        y: `[points]`. Points where either is not finite are left out.

    Returns:
        A `Correlation`.

    Raises:
        ValueError: the lengths differ.

    Reference:
        Bonett, Wright, Sample size requirements for estimating Pearson, Kendall and Spearman
        correlations, 2000, https://doi.org/10.1007/BF02294183.
    """
    from scipy import stats

    x, y = _finite_pairs(x, y)
    if _is_flat(x, y):
        return Correlation(math.nan, math.nan, math.nan, len(x))
    r = float(stats.spearmanr(x, y).statistic)
    # The same order in a few points is no proof of the same order in all: the formula has no
    # interval for it but a single point.
    if len(x) < 4 or abs(r) > 1 - 1e-12:
        return Correlation(r, math.nan, math.nan, len(x))
    half = 1.96 * math.sqrt((1 + r**2 / 2) / (len(x) - 3))
    low, high = np.tanh(np.arctanh(r) + np.array([-half, half]))
    return Correlation(r, float(low), float(high), len(x))


def _finite_pairs(x, y):
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            f"Expected two series of one length. Received: shapes {x.shape} and {y.shape}."
        )
    known = np.isfinite(x) & np.isfinite(y)
    return x[known], y[known]


def _is_flat(x, y):
    return len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0
