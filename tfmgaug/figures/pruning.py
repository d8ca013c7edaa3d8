"""Figures of network pruning: the generalization gap, and sensitivity to phases."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.drawing.looks import entries_of, line, shared_legend, titled
from tfmgaug.drawing.style import new_figure, styled
from tfmgaug.evaluation.intervals import described
from tfmgaug.evaluation.summary import summarize
from tfmgaug.figures.runs import run_curves

_PANELS = (
    ("training_accuracy", "On training classes"),
    ("test_accuracy", "On test classes"),
    ("accuracy_gap", "Their difference"),
)


def gap_curves(histories: Mapping[str, Sequence[Sequence[Mapping]]]) -> Figure:
    """Draws accuracy on training and test classes and their difference, one curve a name.

    Args:
        histories: for each name its runs' histories: rows with `epoch`, `training_accuracy`,
            `test_accuracy` and `accuracy_gap`, in 0-1.

    Returns:
        A `matplotlib.figure.Figure` with three panels.

    Raises:
        ValueError: as in `run_curves`.

    Example:
        >>> save(gap_curves({"0 %": [plain], "40 %": [seed0, seed1]}), "gap.png")

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Figures 1 and 2.
    """
    return run_curves(histories, panels=_PANELS)


@styled
def sensitivity_curves(curves: Mapping[str, Sequence[tuple[float, float]]], axis: str) -> Figure:
    """Draws test accuracy over a length, one curve a name.

    Several runs of the same length (other seeds) are averaged, with bars of the 95 % interval over
    runs (Student's t); a single run has none.

    Args:
        curves: for each name pairs of a length and an accuracy in 0-1.
        axis: what the length is.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: there is no name, or one without pairs.

    Example:
        >>> save(sensitivity_curves({"DSD": [(10_000, 0.5), (30_000, 0.52)]}, "steps"), "x.png")

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Figures 3 and 4.
    """
    if not curves or not all(curves.values()):
        raise ValueError(f"`curves` must hold names with at least one pair. Received: {curves}.")
    figure = new_figure(5.0, 3.8)
    axes, several = figure.subplots(), set()
    for number, (name, pairs) in enumerate(curves.items()):
        lengths = sorted({length for length, _ in pairs})
        groups = [[100 * value for phase, value in pairs if phase == length] for length in lengths]
        bars = [summarize(group).interval if len(group) > 1 else math.nan for group in groups]
        means = [np.mean(group) for group in groups]
        axes.errorbar(lengths, means, bars, **line(number), ms=5, capsize=3, label=name)
        several |= {len(group) for group in groups if len(group) > 1}
    axes.set_xlabel(axis)
    axes.set_ylabel("query accuracy (%)")
    titled([axes], [""], [[f"bars: {described(several, 'runs')}" if several else ""]])
    shared_legend(figure, entries_of(figure.axes))
    return figure
