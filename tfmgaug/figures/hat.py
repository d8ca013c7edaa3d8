"""The hat graph: how far sub-networks stay below the full network, per inner step."""

from string import ascii_lowercase

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.analysis.subnetwork_report import SubnetworkReport
from tfmgaug.evaluation.intervals import described
from tfmgaug.figures.looks import DOTS, entries_of, shades, shared_legend, titled
from tfmgaug.figures.style import GRAY, INK, new_figure, styled

_FIRST, _LAST = 0.14, 0.84  # where the bars of a step stand, right of it


@styled
def hat_graph(*reports: SubnetworkReport) -> Figure:
    """Draws accuracy per inner step: the full network as a line, sub-networks as bars from it.

    A bar begins at the full network's accuracy and ends at the sub-network's: upwards where it is
    better, downwards where it is worse. Whiskers are 95 % intervals over tasks (Student's t) of the
    difference to the full network (paired task by task), the line's band is that of its accuracy.

    Args:
        *reports: from `tfmgaug.analysis.memorization`, one panel each.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no report, or they have different metrics or pruning rates.

    Example:
        >>> save(hat_graph(width, parameter, catfish, catfish_nme), "hat.png")

    Reference:
        Wang et al., MGAug, Figure 4; Witt, 2019, Introducing hat graphs.
    """
    _check(reports)
    figure = new_figure(max(5.4, 0.8 + 3.6 * len(reports)), 4.1)
    panels = figure.subplots(1, len(reports), sharey=True, squeeze=False)[0]
    for axes, report in zip(panels, reports):
        _draw_bars(axes, report)
        _draw_full_network(axes, report)
    letters = [f"({letter}) " for letter in ascii_lowercase] if len(reports) > 1 else [""]
    titles = [f"{letter}{report.name}" for letter, report in zip(letters, reports)]
    titled(panels, titles, [_notes(report) for report in reports])
    panels[0].set_ylabel("query accuracy (%)" if _scale(reports[0]) == 100 else "query loss")
    entries = entries_of(panels, last="chance")
    full = reports[0].networks[0].name
    shared_legend(figure, {full: entries.pop(full), **entries})
    return figure


def _scale(report: SubnetworkReport) -> float:
    return 100.0 if report.metric == "accuracy" else 1.0


def _draw_bars(axes, report: SubnetworkReport) -> None:
    steps, bars = np.arange(report.steps + 1), len(report.networks) - 1
    full, _ = _columns(report, report.summary, 0)
    width = (_LAST - _FIRST) / max(bars, 1)
    for network, color in zip(range(1, bars + 1), shades(bars)):
        gap, interval = _columns(report, report.gap, network)
        axes.bar(
            steps + _FIRST + (network - 0.5) * width,
            gap,
            width,
            bottom=full,
            color=color,
            edgecolor=INK,
            linewidth=0.4,
            yerr=interval,
            error_kw={"ecolor": INK, "elinewidth": 0.7, "capsize": 1.2},
            label=report.networks[network].name,
            zorder=2,
        )
    axes.hlines(full, steps, steps + _LAST, color=INK, lw=0.8, zorder=2)  # the brim


def _draw_full_network(axes, report: SubnetworkReport) -> None:
    steps = np.arange(report.steps + 1)
    mean, interval = _columns(report, report.summary, 0)
    axes.fill_between(steps, mean - interval, mean + interval, color=INK, alpha=0.1, lw=0)
    axes.plot(
        steps, mean, color=INK, ls="--", marker="*", ms=8, lw=1.2, label=report.networks[0].name
    )
    if report.metric == "accuracy" and report.way:
        axes.axhline(100 / report.way, color=GRAY, lw=1.2, ls=DOTS, label="chance", zorder=0)
    axes.set_xticks(steps)
    axes.set_xlim(-0.3, report.steps + 1)
    axes.set_xlabel("inner steps" if report.steps else "no inner steps")


def _columns(report: SubnetworkReport, summary, network: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and intervals of a network over steps."""
    summaries = [summary(network, step) for step in range(report.steps + 1)]
    means, intervals = zip(*[(summary.mean, summary.interval) for summary in summaries])
    return _scale(report) * np.array(means), _scale(report) * np.array(intervals)


def _notes(report: SubnetworkReport) -> list[str]:
    exclusive = {
        None: "",
        True: "mutually exclusive tasks",
        False: "non-mutually-exclusive tasks",
    }
    idle = [network.rate for network in report.networks[1:] if not network.pruned]
    return [
        exclusive[report.mutually_exclusive],
        f"whiskers, band: {described(report.tasks, 'tasks')}",
        "masks scored on the query labels" if report.reads_query_labels else "",
        f"up to {100 * max(idle):.4g} % prunes nothing: small layers" if idle else "",
    ]


def _check(reports) -> None:
    metrics = {report.metric for report in reports}
    if len(metrics) != 1:
        raise ValueError(
            "`hat_graph` needs at least one report, and all of one metric. "
            f"Received: {len(reports)} reports with metrics {sorted(metrics)}."
        )
    rates = {tuple(network.rate for network in report.networks) for report in reports}
    if len(rates) > 1:
        raise ValueError(
            "The panels of a hat graph need the same pruning rates: bars of one color mean one "
            f"rate. Received: {sorted(rates)}."
        )
