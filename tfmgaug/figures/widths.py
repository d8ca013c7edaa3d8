"""Accuracy of networks of several widths."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.drawing.looks import DOTS, entries_of, line, shared_legend, titled
from tfmgaug.drawing.style import GRAY, new_figure, styled
from tfmgaug.evaluation.intervals import described
from tfmgaug.evaluation.summary import summarize


@styled
def accuracy_against_width(
    accuracies: Mapping[str, Mapping[float, Sequence[float]]],
    title: str = "",
    way: int | None = None,
) -> Figure:
    """Draws mean accuracy against the width factor, a line a name.

    Bars are 95 % intervals over runs (Student's t); a point of one run has none, and is hollow.

    Args:
        accuracies: for each name, by width factor, the accuracies of its runs (seeds), 0-1.
        title: of the figure.
        way: number of classes of a task, for the line of chance, which is left out where it would
            press the others together; None: no line.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no accuracy, or a width without any.

    Example:
        >>> save(accuracy_against_width({"MAML": {1: [0.91, 0.92], 4: [0.95, 0.94]}}), "widths.png")

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Figure 3.
    """
    if not accuracies or not all(
        by_width and all(by_width.values()) for by_width in accuracies.values()
    ):
        raise ValueError(
            "`accuracies` must hold at least one name, each with widths of at least one run. "
            f"Received: {accuracies!r}."
        )
    figure = new_figure(5.4, 4.1)
    axes = figure.subplots()
    for number, (name, by_width) in enumerate(accuracies.items()):
        # Side by side: bars of equal means would hide each other.
        shift = 2 ** (0.06 * (number - (len(accuracies) - 1) / 2))
        _draw_line(
            axes, name, {shift * width: runs for width, runs in by_width.items()}, line(number)
        )
    if way and _near(100 / way, axes.get_ylim()):
        axes.axhline(100 / way, color=GRAY, lw=1.2, ls=DOTS, label="chance", zorder=0)
    widths = sorted({width for by_width in accuracies.values() for width in by_width})
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [f"{width:g}" for width in widths])
    axes.minorticks_off()
    axes.set_xlabel("width factor")
    axes.set_ylabel("query accuracy (%)")
    titled([axes], [title], [_notes(accuracies)])
    shared_legend(figure, entries_of([axes], last="chance"))
    return figure


def _near(value: float, limits: tuple[float, float]) -> bool:
    """Whether showing a value below the limits leaves half of the height to what was there."""
    low, high = limits
    return low - value < high - low


def _draw_line(axes, name: str, by_width: Mapping, look: dict) -> None:
    widths = sorted(by_width)
    axes.plot(widths, [100 * np.mean(by_width[width]) for width in widths], **look, label=name)
    several = [width for width in widths if len(by_width[width]) > 1]
    summaries = [summarize(by_width[width]) for width in several]
    axes.errorbar(
        several,
        [100 * summary.mean for summary in summaries],
        [100 * summary.interval for summary in summaries],
        fmt="none",
        ecolor=look["color"],
        capsize=3,
    )
    alone = [width for width in widths if len(by_width[width]) == 1]
    axes.plot(
        alone, [100 * by_width[width][0] for width in alone],
        ls="none", color=look["color"], marker=look["marker"], mfc="white",
    )  # fmt: skip


def _notes(accuracies: Mapping) -> list[str]:
    runs = {
        len(runs_of_width)
        for by_width in accuracies.values()
        for runs_of_width in by_width.values()
    }
    several = runs - {1}
    return [
        f"bars: {described(several, 'runs')}" if several else "one run a point",
        "hollow: one run" if several and 1 in runs else "",
    ]
