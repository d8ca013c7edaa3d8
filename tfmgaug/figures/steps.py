"""Accuracy before adaptation and after each inner step."""

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.drawing.looks import titled
from tfmgaug.drawing.style import COLORS, GRAY, INK, new_figure, styled
from tfmgaug.evaluation.intervals import described
from tfmgaug.evaluation.report import NO_STATISTICS, Report

# Line and marker name the statistics mode, color names the learner.
_MODES = {
    "transductive": ("-", "o"),
    "support": ("--", "s"),
    "running": ("-.", "^"),
    "one_by_one": (":", "D"),
}


@styled
def accuracy_per_step(*reports: Report) -> Figure:
    """Draws mean accuracy (or loss) over inner steps, with 95 % intervals over episodes.

    Intervals are Student's t.

    Args:
        *reports: of learners, e.g. of the trained one and of the same at initialization, and
            the `pixel_floor`, which becomes a horizontal line, as does any report without
            inner steps beside one that has them. Chance is drawn for accuracies.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no report, or they have different metrics.

    Example:
        >>> save(accuracy_per_step(report, initialization, floor), "accuracy_per_step.png")
    """
    metrics = {report.metric for report in reports}
    if len(metrics) != 1:
        raise ValueError(
            "`accuracy_per_step` needs at least one report, and all of one metric. "
            f"Received: {len(reports)} reports with metrics {sorted(metrics)}."
        )
    learners = [report for report in reports if report.statistics != (NO_STATISTICS,)]
    floors = [report for report in reports if report.statistics == (NO_STATISTICS,)]
    steps = max(report.inner_steps for report in reports)
    figure = new_figure(max(7.2, 5.1 + 0.075 * _longest(reports)), 4.0)
    axes = figure.subplots()
    for color, report in zip(_cycle(len(learners)), learners):
        _draw_learner(axes, report, color, steps)
    for report in floors:
        _draw_level(axes, report, NO_STATISTICS, INK, (0, (1, 1.2)), report.name)
    _finish(axes, reports[0], steps)
    return figure


def _longest(reports) -> int:
    """Letters of the longest entry of the legend, which stands beside the panel."""
    return max(len(f"{report.name}, {mode}") for report in reports for mode in report.statistics)


def _cycle(length: int) -> list[str]:
    return [COLORS[k % len(COLORS)] for k in range(length)]


def _scale(report: Report) -> float:
    return 100.0 if report.metric == "accuracy" else 1.0


def _draw_learner(axes, report: Report, color: str, steps: int) -> None:
    for mode in report.statistics:
        line, marker = _MODES[mode]
        label = f"{report.name}, {mode}"
        if report.inner_steps < steps:
            _draw_level(axes, report, mode, color, line, label)
            continue
        summaries = [report.summary(mode, step) for step in range(steps + 1)]
        mean, interval = (
            _scale(report) * np.array([getattr(summary, key) for summary in summaries])
            for key in ("mean", "interval")
        )
        x = np.arange(steps + 1) + _offset(report, mode, steps)
        axes.fill_between(x, mean - interval, mean + interval, color=color, alpha=0.18, lw=0)
        axes.errorbar(
            x, mean, interval, color=color, ls=line, marker=marker, capsize=3, lw=1.8, label=label
        )


def _offset(report: Report, mode: str, steps: int) -> float:
    """Without steps the modes would stand on top of each other."""
    if steps:
        return 0.0
    modes = report.statistics
    return 0.08 * (modes.index(mode) - (len(modes) - 1) / 2)


def _draw_level(axes, report: Report, mode: str, color: str, line, label: str) -> None:
    mean, _, interval, _ = (_scale(report) * value for value in report.summary(mode))
    axes.axhspan(mean - interval, mean + interval, color=color, alpha=0.12, lw=0)
    axes.axhline(mean, color=color, ls=line, lw=1.4, label=label)


def _finish(axes, report: Report, steps: int) -> None:
    accuracy = report.metric == "accuracy"
    if accuracy and report.way:
        axes.axhline(100 / report.way, color=GRAY, lw=1, ls=(0, (4, 3)), label="chance", zorder=1)
    axes.set_xticks(range(steps + 1) if steps else [])
    axes.set_xlim(-0.25, steps + 0.25)
    axes.set_xlabel("inner steps (0: before adaptation)" if steps else "no inner steps")
    axes.set_ylabel(f"query {report.metric}{' (%)' if accuracy else ''}")
    shape = f"{report.way}-way {report.shot}-shot, " if report.way else ""
    bars = described(report.episodes, "episodes")
    titled([axes], [f"{report.dataset}, {shape}{report.episodes} episodes"], [[f"bars: {bars}"]])
    handles, labels = axes.get_legend_handles_labels()
    # Error bars are listed after plain lines: learners first, chance last.
    order = sorted(range(len(labels)), key=lambda k: (labels[k] == "chance", "," not in labels[k]))
    axes.legend(
        [handles[k] for k in order],
        [labels[k] for k in order],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        handlelength=3,
    )
