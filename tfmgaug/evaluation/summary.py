"""Mean, standard deviation and interval over episodes."""

import math
from typing import NamedTuple

import numpy as np

from tfmgaug.evaluation.intervals import half_width
from tfmgaug.types import ArrayLike


class Summary(NamedTuple):
    """The summary of one number per episode.

    Attributes:
        mean: mean over episodes.
        standard_deviation: sample standard deviation over episodes (divided by n - 1).
        interval: half width of the 95 % interval of the mean, by Student's t: see `half_width`.
        episodes: n, the number of values.
    """

    mean: float
    standard_deviation: float
    interval: float
    episodes: int


def summarize(values: ArrayLike) -> Summary:
    """Summarizes one value per episode.

    Args:
        values: `[episodes]`, at least two of them.

    Returns:
        Their `Summary`.

    Raises:
        ValueError: if there are fewer than two values, or `values` is not a vector.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(
            "`values` must hold one number for each of at least 2 episodes: one alone has no "
            f"interval. Received: values of shape {values.shape}."
        )
    deviation = float(np.std(values, ddof=1))
    interval = half_width(deviation / math.sqrt(len(values)), len(values))
    return Summary(float(np.mean(values)), deviation, interval, len(values))
