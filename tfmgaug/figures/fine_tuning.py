"""Fine-tuning curves: a network with its memory, without, and with none."""

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.analysis.subnetwork_report import SubnetworkReport
from tfmgaug.evaluation.intervals import described
from tfmgaug.figures.looks import DOTS, entries_of, line, shared_legend, titled
from tfmgaug.figures.style import GRAY, new_figure, styled

_MARKS = 10  # at most, on a line


@styled
def fine_tuning_curves(*reports: SubnetworkReport) -> Figure:
    """Draws accuracy over many inner steps, with bands of 95 % intervals over tasks.

    Intervals are Student's t.

    Args:
        *reports: from `tfmgaug.analysis.fine_tuning`, one panel each.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no report, or they have different metrics or networks.

    Example:
        >>> save(fine_tuning_curves(report), "finetuning.png")

    Reference:
        Wang et al., MGAug, Figure 5.
    """
    _check(reports)
    figure = new_figure(max(5.4, 0.8 + 3.8 * len(reports)), 4.1)
    panels = figure.subplots(1, len(reports), sharey=True, squeeze=False)[0]
    for axes, report in zip(panels, reports):
        _draw_panel(axes, report)
    titled(panels, [report.name for report in reports], [_notes(report) for report in reports])
    accuracy = reports[0].metric == "accuracy"
    panels[0].set_ylabel("query accuracy (%)" if accuracy else "query loss")
    shared_legend(figure, entries_of(panels, last="chance"))
    return figure


def _draw_panel(axes, report: SubnetworkReport) -> None:
    from matplotlib.ticker import MaxNLocator

    scale = 100 if report.metric == "accuracy" else 1
    steps = np.arange(report.steps + 1)
    for number, network in enumerate(report.networks):
        summaries = [report.summary(number, step) for step in steps]  # type: ignore[arg-type]
        mean = scale * np.array([summary.mean for summary in summaries])
        interval = scale * np.array([summary.interval for summary in summaries])
        look = line(number)
        axes.fill_between(
            steps, mean - interval, mean + interval, color=look["color"], alpha=0.18, lw=0
        )
        axes.plot(steps, mean, **look, markevery=-(-len(steps) // _MARKS), label=network.name)
    if report.metric == "accuracy" and report.way:
        axes.axhline(100 / report.way, color=GRAY, lw=1.2, ls=DOTS, label="chance", zorder=0)
    axes.set_xlabel("inner steps")
    axes.set_xlim(-0.02 * report.steps, 1.02 * report.steps)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _notes(report: SubnetworkReport) -> list[str]:
    return [
        f"bands: {described(report.tasks, 'tasks')}",
        "masks scored on the query labels" if report.reads_query_labels else "",
    ]


def _check(reports) -> None:
    metrics = {report.metric for report in reports}
    if len(metrics) != 1:
        raise ValueError(
            "`fine_tuning_curves` needs at least one report, and all of one metric. "
            f"Received: {len(reports)} reports with metrics {sorted(metrics)}."
        )
    networks = {tuple(network.name for network in report.networks) for report in reports}
    if len(networks) > 1:
        raise ValueError(
            "The panels of a figure need the same networks: curves of one color mean one network. "
            f"Received: {sorted(networks)}."
        )
