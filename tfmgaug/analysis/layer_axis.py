"""An axis of layers, on which reports of several networks are drawn."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from tfmgaug.analysis.layer_report import LayerReport
from tfmgaug.drawing.looks import line

_UPRIGHT = 6  # layers, above which their names are turned,
_LETTERS = 8  # or names longer than this
_ANGLE = 60  # degrees


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
            f"backbones in figures of their own. Received: {[list(names) for names in layers]}."
        )
