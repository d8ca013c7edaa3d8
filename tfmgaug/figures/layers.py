"""Bars for each layer of several networks."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfmgaug.analysis.layer_report import LayerReport
from tfmgaug.evaluation.intervals import described
from tfmgaug.figures.looks import entries_of, line, shared_legend, titled
from tfmgaug.figures.style import GRAY, new_figure, styled

_UPRIGHT = 6  # layers, above which their names are turned,
_LETTERS = 8  # or names longer than this
_ANGLE = 60  # degrees


@styled
def representation_profile(*reports: LayerReport) -> Figure:
    """Draws CKA before and after adaptation for each stage, with 95 % intervals over tasks.

    Intervals are Student's t.

    Args:
        *reports: from `tfmgaug.analysis.representation_change`; those of one name look alike.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no report, or their stages differ.

    Example:
        >>> save(representation_profile(maml, anil, boil), "representation.png")

    Reference:
        Oh et al., BOIL, 2021, https://arxiv.org/abs/2008.08882, Figure 3.
    """
    check_layers(reports)
    layers = reports[0].layers
    figure = new_figure(max(5.4, 2.4 + 0.7 * len(layers)), 4.1 + room_for_names(layers))
    axes = figure.subplots()
    axes.axhline(1, color=GRAY, lw=1, zorder=1)
    draw_layers(axes, reports, "cka")
    low = min(0.0, axes.get_ylim()[0])
    axes.set_ylim(low, 1.05)
    axes.set_ylabel("CKA, before and after adaptation")
    axes.set_xlabel("stage")
    bars = described({report.tasks for report in reports}, "tasks")
    notes = ["1: features as they were", f"bars: {bars}"]
    titled([axes], ["Representation change of the queries"], [notes])
    shared_legend(figure, entries_of([axes]))
    return figure


def draw_layers(axes: Axes, reports: Sequence[LayerReport], measure: str) -> None:
    """Draws a measure over layers, a line for each report; of one name, one look and one label."""
    names = list(dict.fromkeys(report.name for report in reports))
    labeled = set()
    for number, report in enumerate(reports):
        summaries = [report.summary(measure, layer) for layer in report.layers]
        # Side by side: intervals of equal values would hide each other.
        x = np.arange(len(summaries)) + 0.08 * (number - (len(reports) - 1) / 2)
        label = None if report.name in labeled else report.name
        labeled.add(report.name)
        axes.errorbar(
            x,
            [summary.mean for summary in summaries],
            [summary.interval for summary in summaries],
            **line(names.index(report.name)),
            capsize=3,
            lw=1.5,
            label=label,
        )
    layers = reports[0].layers
    turned: dict[str, Any] = {"rotation": _ANGLE, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(
        range(len(layers)), layers, fontsize=8, **(turned if _are_turned(layers) else {})
    )
    axes.set_xlim(-0.5, len(layers) - 0.5)


def room_for_names(layers: Sequence[str]) -> float:
    """Inches that the names under an axis of layers take in height, where they are turned."""
    longest = 0.075 * max(map(len, layers))
    return math.sin(math.radians(_ANGLE)) * longest if _are_turned(layers) else 0.0


def _are_turned(layers) -> bool:
    return len(layers) > _UPRIGHT or max(map(len, layers)) > _LETTERS


def positive(reports: Sequence[LayerReport], measure: str) -> bool:
    """Whether a logarithmic axis can show a measure: its means are all above zero."""
    means = [report.summary(measure, layer).mean for report in reports for layer in report.layers]
    return all(mean > 0 for mean in means if math.isfinite(mean))


def check_layers(reports: Sequence[LayerReport]) -> None:
    """Refuses reports that one axis of layers can't hold.

    Raises:
        ValueError: if there is none, or their layers differ.
    """
    layers = {report.layers for report in reports}
    if len(layers) != 1:
        raise ValueError(
            "Expected at least one report, and the same layers in all of them: draw other "
            f"backbones in figures of their own. Received: {[list(one) for one in layers]}."
        )
