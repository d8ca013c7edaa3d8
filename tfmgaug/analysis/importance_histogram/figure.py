"""The distribution of MMCA scores, with what catfish pruning takes from it."""

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.analysis.importance_histogram.report import PARTS, Importance
from tfmgaug.drawing.looks import entries_of, shared_legend, titled
from tfmgaug.drawing.style import COLORS, INK, new_figure, styled
from tfmgaug.evaluation.intervals import described, half_width

# In the order of PARTS: color, hatching for print without color, label.
_LOOKS = (
    (COLORS[1], "////", "highest {rate:.4g} %: catfish pruning"),
    (COLORS[5], None, "between"),
    ("#BBBBBB", "....", "lowest {rate:.4g} %: pruning for size"),
)
_LEFT_OUT = 0.001  # of the weights at most, at the lower end


@styled
def importance_histogram(*results: Importance, layer: str | None = None) -> Figure:
    """Draws how many weights of a layer carry how much memory, on a logarithmic axis.

    Bars are stacked; whiskers are 95 % intervals over tasks (Student's t) of a whole bar. Weights
    are marked task by task, each by its own threshold, so that colors meet within a bar.

    Args:
        *results: from `tfmgaug.analysis.importance`, one panel each.
        layer: name of the layer; the last one that can be pruned by default.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no result, no such layer, or different rates.

    Example:
        >>> save(importance_histogram(found), "mmca.png")

    Reference:
        Wang et al., MGAug, Figure 2.
    """
    if len({result.rate for result in results}) != 1:
        raise ValueError(
            "`importance_histogram` needs at least one result, and all of one rate. "
            f"Received: rates {[result.rate for result in results]}."
        )
    figure = new_figure(max(5.6, 0.8 + 4.2 * len(results)), 4.4)
    panels = figure.subplots(1, len(results), sharey=True, squeeze=False)[0]
    notes = [_draw_panel(axes, result, layer) for axes, result in zip(panels, results)]
    titled(panels, [_title(result, layer) for result in results], notes)
    panels[0].set_ylabel("share of the layer's weights (%)")
    shared_legend(figure, entries_of(panels))
    return figure


def _title(result: Importance, layer: str | None) -> str:
    number = result.number(layer)
    return f"{result.name}, {result.layers[number]} ({result.sizes[number]:,} weights)"


def _draw_panel(axes, result: Importance, layer: str | None) -> list[str]:
    """Draws a result, and returns the small print of its panel."""
    number = result.number(layer)
    size = result.sizes[number]
    counts = 100 * result.counts[:, number] / size  # [tasks, parts, 1 + bins]
    low, high = _range(counts)
    shown, edges = counts[:, :, 1 + low : 1 + high], result.edges[low : high + 1]
    bottom = np.zeros(high - low)
    for part, (color, hatch, label) in reversed(list(enumerate(_LOOKS))):
        mean = shown[:, part].mean(axis=0)
        axes.bar(
            edges[:-1], mean, np.diff(edges), bottom, align="edge", color=color, hatch=hatch,
            edgecolor="white", linewidth=0.3, label=label.format(rate=100 * result.rate),
        )  # fmt: skip
        bottom += mean
    whole = shown.sum(axis=1)
    interval = half_width(whole.std(axis=0, ddof=1) / np.sqrt(len(whole)), len(whole))
    axes.errorbar(
        np.sqrt(edges[:-1] * edges[1:]), bottom, interval, fmt="none", ecolor=INK, elinewidth=0.7
    )
    axes.set_xscale("log")
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(0, 1.1 * (bottom + interval).max())
    axes.set_xlabel("MMCA  |∂L/∂θ · θ|")
    return _notes(result, layer, counts, low)


def _range(counts) -> tuple[int, int]:
    """The first bin, and the one after the last, that are worth showing."""
    mean = counts.sum(axis=1).mean(axis=0)  # in percent, [1 + bins]
    filled = np.flatnonzero(mean[1:])
    if not len(filled):
        return 0, 1
    # Zeros stand before the first bin, and count for themselves.
    below = np.cumsum(mean[1:]) <= 100 * _LEFT_OUT
    return max(filled[0], int(below.sum())), filled[-1] + 1


def _notes(result: Importance, layer: str | None, counts, low: int) -> list[str]:
    carried = result.carried(PARTS[0], layer)
    lines = [
        f"the highest {100 * result.rate:.4g} % carry {100 * carried.mean:.1f} ± "
        f"{100 * carried.interval:.1f} % of the MMCA",
        f"±, whiskers: {described(len(result.counts), 'tasks')}",
        "scores read the query labels",
    ]
    left_out = counts[:, :, : 1 + low].sum(axis=(1, 2)).mean()
    if left_out > 0:
        lines.append(f"{left_out:.2g} % of the weights are off the left edge")
    return lines
