"""Memorized accuracy: a network and its sub-networks at each inner step, and the hat graph."""

import time
from collections.abc import Callable, Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from tfmgaug import batch_statistics
from tfmgaug.analysis import subnetworks
from tfmgaug.analysis.frozen_tasks import over_tasks
from tfmgaug.analysis.subnetwork_report import SubnetworkReport, refuse_mixed_metrics
from tfmgaug.drawing.looks import DOTS, entries_of, shades, shared_legend, titled
from tfmgaug.drawing.style import GRAY, INK, new_figure, styled
from tfmgaug.evaluation.intervals import described
from tfmgaug.masks.mask import Mask
from tfmgaug.types import Learner

_FIRST, _LAST = 0.14, 0.84  # where the bars of a step stand, right of it


def memorization(
    learner: Learner,
    sampler: Any,
    mask: Mask,
    rates: Sequence[float] | float = (0.001, 0.005, 0.01, 0.02, 0.05),
    episodes: int = 100,
    statistics: str | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SubnetworkReport:
    """Measures a network and its sub-networks on the same tasks, per inner step.

    For each task, masks are drawn at the weights before adaptation, one for each rate, and held
    through the inner steps. Catfish masks are scored by the gradient of the query loss, which
    READS THE QUERIES' LABELS: their bars show what pruning does to memory, not what a deployed
    model achieves. Random masks read nothing, and a higher rate prunes what a lower one prunes.

    A network that knows its answers by heart is above chance at step 0; where pruning a little
    costs much and adaptation gets it back slowly, memory was what it relied on.

    Args:
        learner: `MetaLearner`. One without inner steps (ProtoNet) has a single column, and nothing
            is said about memory before adaptation.
        sampler: `EpisodeSampler` of mutually exclusive tasks or others, or a `SinusoidSampler`.
        mask: `CatfishMask`, `ParameterMask` or `WidthMask`, whose own rates are not used.
        rates: list of floats in (0, 1), pruning rates. The full network is always measured.
        episodes: int >= 2, how many tasks.
        statistics: batch-statistics mode of the queries; None: the learner's own. One of
            "transductive", "support", "running" and "one_by_one".
        seed: int >= 0, seed of random masks.
        name: of the report; by default the learner's class.
        progress: called with (tasks done, tasks) after each batch.

    Returns:
        A `SubnetworkReport`.

    Raises:
        ValueError: an argument is out of range, or the backbone can't be pruned by this mask.

    Example:
        >>> tasks = tfmgaug.data.EpisodeSampler(test, way=5, shot=1, query=15, tasks=20)
        >>> report = memorization(learner, tasks, tfmgaug.masks.CatfishMask())
        >>> tfmgaug.figures.save(tfmgaug.figures.hat_graph(report), "hat.png")

    Reference:
        Wang et al., MGAug, Section 5.3 and Figure 4; Witt, 2019, Introducing hat graphs.
    """
    started = time.monotonic()
    rates = subnetworks.checked_rates(rates)
    mode = batch_statistics.check_mode(statistics or learner.statistics)
    mask = subnetworks.attached(mask, learner)
    steps = learner.evaluation_steps

    def task(theta, episode):
        return subnetworks.per_network(learner, mask, rates, theta, episode, steps, mode, seed)

    arrays, tasks = over_tasks(
        learner, task, subnetworks.outputs(learner), sampler, episodes, progress
    )
    return SubnetworkReport(
        name=name or type(learner).__name__,
        networks=subnetworks.networks(learner, mask, rates),
        mask=type(mask).__name__,
        reads_query_labels=mask.score is not None,
        statistics=mode,
        loss=arrays["loss"],
        accuracy=arrays.get("accuracy"),
        seconds=time.monotonic() - started,
        **tasks,
    )


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
        axes.use_sticky_edges = False  # bars begin at a star, which needs room on both sides
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
        steps, mean, color=INK, ls="--", marker="*", ms=8, lw=1.2, label=report.networks[0].name,
        clip_on=False,  # whatever the edge of the panel, stars are whole
    )  # fmt: skip
    if report.metric == "accuracy" and report.way:
        axes.axhline(100 / report.way, color=GRAY, lw=1.2, ls=DOTS, label="chance", zorder=0)
    axes.set_xticks(steps)
    axes.set_xlim(-max(0.3, 0.04 * report.steps), report.steps + 1)
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
    refuse_mixed_metrics(reports, "hat_graph")
    rates = {tuple(network.rate for network in report.networks) for report in reports}
    if len(rates) > 1:
        raise ValueError(
            "The panels of a hat graph need the same pruning rates: bars of one color mean one "
            f"rate. Received: {sorted(rates)}."
        )
