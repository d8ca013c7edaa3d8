"""Measures of the landscape over training, and their correlation with accuracy."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.analysis.loss_landscape.correlation import pearson, spearman
from tfmgaug.analysis.loss_landscape.report import PREFIX
from tfmgaug.drawing.histories import aligned, draw_curves, finish_epochs, label_of
from tfmgaug.drawing.looks import GLYPHS, entries_of, line, shape_of, shared_legend
from tfmgaug.drawing.style import INK, new_figure, styled

_PERFORMANCE = (
    ("query_accuracy", "Query accuracy", "query accuracy (%)"),
    ("query_loss", "Query loss", "query loss"),
)
_PANELS = (
    ("curvature", "Curvature", "spectral norm of the Hessian"),
    ("support_loss", "Support loss", "after adaptation"),
    ("trajectory_norm", "Trajectory norm", "|adapted − initial|"),
    ("trajectory_coherence", "Trajectory coherence", "mean cosine of two tasks"),
    ("gradient_coherence", "Gradient coherence", "mean inner product of two tasks"),
    ("gradient_cosine", "Gradient cosine", "mean cosine of two tasks"),
)
_LINE = 11  # points, of coefficients above a panel
PROPERTIES = tuple(name for name, _, _ in _PANELS)


@styled
def landscape_curves(histories: Mapping[str, Sequence[Sequence[Mapping]]]) -> Figure:
    """Draws accuracy (or loss) and all properties of the landscape over epochs.

    The band is the 95 % interval (Student's t): over tasks for a single run under a name, over runs
    for several, as the legend says.

    Args:
        histories: for each name its runs' histories: rows of logs that a
            `tfmgaug.callbacks.LandscapeMonitor` has added to, one for each epoch or fewer.

    Returns:
        A `matplotlib.figure.Figure` with a panel for each metric.

    Raises:
        ValueError: if there is no row with a measurement under some name.

    Example:
        >>> save(landscape_curves({"MAML": [history]}), "landscape.png")

    Reference:
        Guiroy et al., 2019, https://arxiv.org/abs/1907.07287, Figures 2 to 6.
    """
    performance, *properties = _panels(histories)
    panels = [performance, *properties]
    columns = -(-len(panels) // 2)
    figure = new_figure(3.6 * columns, 6.4)
    axes = figure.subplots(2, columns).ravel()
    for panel, (metric, title, unit) in zip(axes, panels):
        for number, (name, runs) in enumerate(histories.items()):
            _draw(panel, name, runs, metric, line(number))
        panel.set_title(title)
        panel.set_ylabel(unit)
        finish_epochs(panel, block=1)
    for left in axes[len(panels) :]:
        left.set_axis_off()
    shared_legend(figure, entries_of(axes[: len(panels)]))
    return figure


@styled
def landscape_correlation(
    histories: Mapping[str, Sequence[Sequence[Mapping]]], pooled: bool = False
) -> Figure:
    """Draws accuracy against every property of the landscape, a point an epoch.

    Each panel says Pearson's r and Spearman's rho of the points of each name, with 95 % intervals;
    those of several runs under one name are pooled. For a regression, the negative query loss takes
    the place of the accuracy. Epochs of one run are not independent: the intervals are too narrow
    then.

    Args:
        histories: as in `landscape_curves`.
        pooled: whether the coefficients are of the points of all names together, for histories of a
            row each.

    Returns:
        A `matplotlib.figure.Figure` with a panel for each property.

    Raises:
        ValueError: if there is no row with a measurement under some name.

    Example:
        >>> save(landscape_correlation({"MAML": [history]}), "landscape_correlation.png")

    Reference:
        Guiroy et al., 2019, https://arxiv.org/abs/1907.07287, Figures 7 and 8.
    """
    (metric, title, _), *properties = _panels(histories)
    columns = -(-len(properties) // 2)
    groups = _groups(histories, pooled)
    figure = new_figure(3.9 * columns, 6.5 + 2 * len(groups) * _LINE / 72)
    axes = figure.subplots(2, columns).ravel()
    for panel, (name, label, _) in zip(axes, properties):
        for number, (run, rows) in enumerate(histories.items()):
            x, y = points(rows, name, metric)
            look = line(number)
            panel.plot(x, y, look["marker"], color=look["color"], ms=4, alpha=0.8, label=run)
        _write_coefficients(panel, [(*look, *points(runs, name, metric)) for *look, runs in groups])
        panel.set_xlabel(label)
        panel.set_ylabel("query accuracy (%)" if metric == "query_accuracy" else "− query loss")
    for left in axes[len(properties) :]:
        left.set_axis_off()
    figure.suptitle(
        "r: Pearson, ρ: Spearman, with 95 % intervals, of "
        + ("all points pooled" if pooled else "the points of each name"),
        x=0.01, ha="left", fontsize=9,
    )  # fmt: skip
    shared_legend(figure, entries_of(axes[: len(properties)]))
    return figure


def _groups(histories, pooled: bool) -> list[tuple]:
    """What coefficients are of: glyph and color of a name with its runs, or all runs together."""
    if pooled:
        return [("", INK, [run for runs in histories.values() for run in runs])]
    return [
        (GLYPHS[shape_of(number)], line(number)["color"], runs)
        for number, runs in enumerate(histories.values())
    ]


def _write_coefficients(axes, groups) -> None:
    """Writes the coefficients of each group above the panel, a line each."""
    for number, (glyph, color, x, y) in enumerate(reversed(groups)):
        place = {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 7.5}
        height = 5 + number * _LINE
        axes.annotate(glyph, (0, 1), (0, height), color=color, **place)
        text = f"r = {pearson(x, y)}   ρ = {spearman(x, y)}"
        axes.annotate(text, (0, 1), (11 if glyph else 0, height), **place)


def points(
    runs: Sequence[Sequence[Mapping]], metric: str, performance: str
) -> tuple[np.ndarray, np.ndarray]:
    """The measurements of several runs as points.

    Args:
        runs: list of histories.
        metric: a property of the landscape.
        performance: "query_accuracy", which comes in percent, or "query_loss", which comes negative
            so that more is better.

    Returns:
        Two arrays `[points]`.
    """
    names = (f"{PREFIX}{metric}", f"{PREFIX}{performance}")
    rows = [row for run in runs for row in run if all(row.get(n) is not None for n in names)]
    x, y = (np.array([float(row[name]) for row in rows]) for name in names)
    return x, (100 * y if performance == "query_accuracy" else -y)


def performance_of(histories: Mapping[str, Sequence[Sequence[Mapping]]]) -> str:
    """Returns the measure of performance that all runs have, accuracy if there is one."""
    return _panels(histories)[0][0]


def _panels(histories):
    """What was measured in all runs: the performance first, then the properties."""
    present = [
        {key for run in runs for row in run for key, value in row.items() if value is not None}
        for runs in histories.values()
    ]
    common = set.intersection(*present) if present else set()
    performance = [panel for panel in _PERFORMANCE if PREFIX + panel[0] in common]
    if not performance:
        raise ValueError(
            "Expected histories that a LandscapeMonitor has added to (launch.train: "
            f"--landscape_every), at least one. Received: {sorted(histories)}."
        )
    return [performance[0], *(panel for panel in _PANELS if PREFIX + panel[0] in common)]


def _draw(axes, name, runs, metric, look) -> None:
    scale = 100.0 if metric == "query_accuracy" else 1.0
    epochs, values = aligned(runs, PREFIX + metric)
    draw_curves(axes, {label_of(name, runs): (epochs, values)}, [look], scale)
    if len(runs) == 1:
        _, intervals = aligned(runs, f"{PREFIX}{metric}_interval")
        low, high = values[0] - intervals[0], values[0] + intervals[0]
        axes.fill_between(epochs, scale * low, scale * high, color=look["color"], alpha=0.18, lw=0)
