"""Fine-tuning curves of a network, its sub-networks, and a random initialization."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tfmgaug import batch_statistics
from tfmgaug.analysis import subnetworks
from tfmgaug.analysis.frozen_tasks import over_tasks
from tfmgaug.analysis.initialization import untrained_network
from tfmgaug.analysis.subnetwork_report import Network, SubnetworkReport, refuse_mixed_metrics
from tfmgaug.drawing.looks import DOTS, entries_of, line, shared_legend, titled
from tfmgaug.drawing.style import GRAY, new_figure, styled
from tfmgaug.engine.context import Context
from tfmgaug.engine.prediction import outcomes_per_step
from tfmgaug.evaluation.intervals import described
from tfmgaug.masks.mask import Mask
from tfmgaug.types import Learner

_MARKS = 10  # at most, on a line


def fine_tuning(
    learner: Learner,
    sampler: Any,
    mask: Mask,
    rates: Sequence[float] | float = (0.02,),
    steps: int | None = None,
    initializations: int = 5,
    episodes: int = 100,
    statistics: str | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SubnetworkReport:
    """Measures adaptation over many inner steps: of the full network, pruned, and from nothing.

    The curves of the full and pruned networks are those of `memorization` over more steps (catfish
    masks READ THE QUERIES' LABELS). The last one starts from random weights, drawn by the layers'
    initializers and adapted at the learner's own inner rates: a network with no memory at all. A
    Meta-ticket's is a new draw of its random weights and of its scores, and so of its mask.

    Args:
        learner: `MetaLearner` with inner steps.
        sampler: as in `memorization`.
        mask: as in `memorization`.
        rates: list of floats in (0, 1), pruning rates.
        steps: int >= 1, inner steps; None: four times the learner's own.
        initializations: int >= 1, random initializations that the tasks share out in turn.
        episodes: int >= 2, how many tasks.
        statistics: batch-statistics mode of the queries; None: the learner's own. One of
            "transductive", "support" and "one_by_one". (Running statistics fit the trained weights
            alone, and are refused.)
        seed: int >= 0, seed of random masks and initializations.
        name: of the report; by default the learner's class.
        progress: called with (tasks done, tasks) after each batch.

    Returns:
        A `SubnetworkReport`, whose last network is the random initialization.

    Raises:
        ValueError: the learner takes no inner steps, or an argument is out of range.

    Example:
        >>> report = fine_tuning(learner, tasks, tfmgaug.masks.CatfishMask(), steps=20)
        >>> tfmgaug.figures.save(tfmgaug.figures.fine_tuning_curves(report), "finetuning.png")

    Reference:
        Wang et al., MGAug, Section 5.3 and Figure 5.
    """
    started = time.monotonic()
    steps = _checked_steps(learner, steps, initializations)
    rates = subnetworks.checked_rates(rates)
    mode = _checked_mode(learner, statistics)
    mask = subnetworks.attached(mask, learner)
    drawn = [untrained_network(learner, (seed, n)) for n in range(initializations)]
    stacked = {name: np.stack([network[name] for network in drawn]) for name in drawn[0]}

    def task(theta, episode):
        known = subnetworks.per_network(learner, mask, rates, theta, episode, steps, mode, seed)
        number = tf.cast(episode.index % initializations, tf.int32)
        untrained = {name: tf.constant(drawn)[number] for name, drawn in stacked.items()}
        with learner.scope({**theta, **untrained}):
            nothing = outcomes_per_step(learner, episode, steps, Context(statistics=mode))
        return {n: tf.concat([known[n], nothing[n][tf.newaxis]], axis=0) for n in known}

    arrays, tasks = over_tasks(
        learner, task, subnetworks.outputs(learner), sampler, episodes, progress
    )
    return SubnetworkReport(
        name=name or type(learner).__name__,
        networks=(
            *subnetworks.networks(learner, mask, rates),
            Network("random initialization", 0.0, 0.0),
        ),
        mask=type(mask).__name__,
        reads_query_labels=mask.score is not None,
        statistics=mode,
        loss=arrays["loss"],
        accuracy=arrays.get("accuracy"),
        seconds=time.monotonic() - started,
        **tasks,
    )


def _checked_steps(learner, steps, initializations):
    if not learner.inner_steps:
        raise ValueError(
            "Fine-tuning curves need inner steps: nothing is fine-tuned without them. "
            f"Received: {type(learner).__name__}."
        )
    steps = 4 * learner.evaluation_steps if steps is None else steps
    if steps < 1 or initializations < 1:
        raise ValueError(
            "`steps` and `initializations` must be at least 1. "
            f"Received: steps={steps}, initializations={initializations}."
        )
    return steps


def _checked_mode(learner, statistics):
    mode = batch_statistics.check_mode(statistics or learner.statistics)
    if mode == batch_statistics.RUNNING:
        raise ValueError(
            "Running statistics belong to the trained weights, and would fail a random "
            "initialization: use 'transductive' or 'support'. Received: statistics='running'."
        )
    return mode


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
    refuse_mixed_metrics(reports, "fine_tuning_curves")
    networks = {tuple(network.name for network in report.networks) for report in reports}
    if len(networks) > 1:
        raise ValueError(
            "The panels of a figure need the same networks: curves of one color mean one network. "
            f"Received: {sorted(networks)}."
        )
