"""Representation change: how far adaptation moves the features of each stage."""

import time
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from matplotlib.figure import Figure

from tfmgaug import batch_statistics
from tfmgaug.analysis.cka import linear_cka
from tfmgaug.analysis.frozen_tasks import over_tasks
from tfmgaug.analysis.layer_axis import check_layers, draw_layers, room_for_names
from tfmgaug.analysis.layer_report import LayerReport
from tfmgaug.drawing.looks import entries_of, shared_legend, titled
from tfmgaug.drawing.style import GRAY, new_figure, styled
from tfmgaug.engine import prediction
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params
from tfmgaug.evaluation.intervals import described
from tfmgaug.types import Learner, Tensor


def representation_change(
    learner: Learner,
    sampler: Any,
    episodes: int = 100,
    statistics: str | None = None,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LayerReport:
    """Compares the features of a task's queries before and after adaptation, stage by stage.

    Linear CKA (`linear_cka`) of what each of the backbone's stages puts out: 1 where adaptation
    leaves features as they are (feature reuse), less where it makes others (rapid learning). The
    last stage's outputs are the logits of the classes that have support. Each task's CKA is over
    its own queries; means are over tasks.

    Args:
        learner: `MetaLearner` with inner steps.
        sampler: `EpisodeSampler` or `SinusoidSampler`.
        episodes: int >= 2, how many tasks.
        statistics: batch-statistics mode of the queries; None: the learner's own. One of
            "transductive", "support" and "running".
        name: of the report; by default the learner's class.
        progress: called with (tasks done, tasks) after each batch.

    Returns:
        A `LayerReport` of "cka".

    Raises:
        ValueError: the learner takes no inner steps, or an argument is out of range.

    Example:
        >>> report = representation_change(learner, tasks)
        >>> report.summary("cka", "stage4").mean

    Reference:
        Raghu et al., 2020, https://arxiv.org/abs/1909.09157, Section 3.2.
        Oh et al., BOIL, 2021, https://arxiv.org/abs/2008.08882, Section 4.
        Kornblith et al., 2019, https://arxiv.org/abs/1905.00414.
    """
    started = time.monotonic()
    if not learner.inner_steps:
        raise ValueError(
            "Features change where weights adapt: there is nothing to compare without inner steps. "
            f"Received: {type(learner).__name__}."
        )
    mode = batch_statistics.check_stagewise(statistics or learner.statistics)
    stages, context = learner.network.stages, Context(statistics=mode)

    def task(theta, episode):
        def features(steps):
            support = episode.support_x, episode.support_y
            start = learner.initial_state(context.starting_from(*support))
            state = learner.adapt_state(start, *support, context, steps)
            return query_features(learner, state, episode.query_x, context)

        pairs = zip(features(0), features(learner.evaluation_steps), strict=True)
        return {"cka": tf.stack([linear_cka(before, after) for before, after in pairs])}

    values, tasks = over_tasks(learner, task, {"cka": tf.float64}, sampler, episodes, progress)
    return LayerReport(
        name=name or type(learner).__name__,
        layers=tuple(stage.name for stage in stages),
        values=values,
        statistics=mode,
        seconds=time.monotonic() - started,
        **tasks,
    )


def query_features(
    learner: Learner, state: Params, query_x: Tensor, context: Context
) -> list[Tensor]:
    """Computes what each stage puts out for the queries of a task.

    Args:
        learner: `MetaLearner`.
        state: from `learner.adapt_state`, in the same context.
        query_x: `[n, ...]`.
        context: how the network is run.

    Returns:
        A list of tensors `[n, ...]`, one for each of `learner.network.stages`.
    """
    x, features = learner.network.as_input(query_x), []
    for stage in learner.network.stages:
        x, _ = prediction.forward(learner, state, x, context, stage)
        features.append(x)
    if "classes" in state and learner.way is not None:
        # An output of zero is none to CKA, where a masked logit would be all there is.
        features[-1] = tf.where(state["classes"], x, tf.zeros_like(x))
    return features


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
