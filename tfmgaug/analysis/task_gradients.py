"""Task gradients: how much a task asks of each layer when its adaptation starts."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf
from matplotlib.figure import Figure

from tfmgaug.analysis.frozen_tasks import FrozenTasks
from tfmgaug.analysis.layer_axis import check_layers, draw_layers, positive, room_for_names
from tfmgaug.analysis.layer_report import LayerReport
from tfmgaug.drawing.histories import aligned, draw_curves, finish_epochs
from tfmgaug.drawing.looks import entries_of, line, shared_legend, titled
from tfmgaug.drawing.style import new_figure, styled
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_loop import connected
from tfmgaug.engine.params import Params, by_name, replace
from tfmgaug.episode import Episode
from tfmgaug.evaluation.intervals import described
from tfmgaug.types import Learner

MEASURES = ("norm", "mean_absolute", "mean_absolute_kept")
DRAWN = "mean_absolute_kept"


class TaskGradients:
    """Measures the gradients that the inner loop starts with, each time it is called.

    `g = dL(phi; D_support) / dphi` at the weights before adaptation, with the learner's mask in the
    forward pass (`f_{m * phi}` for Meta-ticket, so that pruned entries have gradient zero). For
    each weight matrix or convolution kernel: the norm of g; the mean of its absolute values over
    all entries, the pruned ones included; and that over kept entries, which is the former divided
    by the share kept, 1 - sparsity, as in the paper's figure (0 where nothing is kept). Layers that
    the inner loop leaves alone (the body in ANIL) are measured too.

    Gradients that vanish in training are feature reuse: tasks ask nothing of the features.

    Args:
        learner: `MetaLearner` with inner steps.
        sampler: `EpisodeSampler` or `SinusoidSampler`.
        episodes: int >= 2, how many tasks.
        name: of the reports; by default the learner's class.

    Raises:
        ValueError: the learner takes no inner steps, or `episodes` is less than 2.

    Example:
        >>> measure = TaskGradients(learner, tasks, episodes=40)
        >>> measure().summary("mean_absolute_kept", last_feature_weight(learner)).mean

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 3.2, Figure 2.
    """

    def __init__(
        self, learner: Learner, sampler: Any, episodes: int = 100, name: str | None = None
    ) -> None:
        if not learner.inner_steps:
            raise ValueError(
                "Task gradients are those of an inner loop: there are none without inner steps. "
                f"Received: {type(learner).__name__}."
            )
        self._name = name or type(learner).__name__
        self._weights = _matrices(learner)
        outputs = dict.fromkeys(MEASURES, tf.float64)

        def task(theta, episode):
            gradients = support_gradients(learner, episode)
            matrices = [tf.cast(gradients[name], tf.float64) for name in self._weights]
            means = tf.stack([tf.reduce_mean(tf.abs(gradient)) for gradient in matrices])
            return {
                "norm": tf.stack([tf.norm(gradient) for gradient in matrices]),
                "mean_absolute": means,
                "mean_absolute_kept": tf.math.divide_no_nan(means, kept_shares(learner)),
            }

        self._tasks = FrozenTasks(learner, task, outputs, sampler, episodes)

    def __call__(self, progress: Callable[[int, int], None] | None = None) -> LayerReport:
        """Measures the learner as it is now.

        Args:
            progress: called with (tasks done, tasks) after each batch.

        Returns:
            A `LayerReport` of `MEASURES`.
        """
        started = time.monotonic()
        values, tasks = self._tasks.measure(progress)
        return LayerReport(
            name=self._name,
            layers=tuple(self._weights),
            values=values,
            seconds=time.monotonic() - started,
            **tasks,
        )


def support_gradients(learner: Learner, episode: Episode) -> Params:
    """Differentiates one task's support loss at the weights before adaptation.

    Args:
        learner: `MetaLearner` with inner steps.
        episode: `Episode` of one task.

    Returns:
        The gradients by the names of the network's weights.
    """
    start = Context().starting_from(episode.support_x, episode.support_y)
    weights = replace(learner.network.params, learner.initial_state(start))
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        outputs, _ = learner.network(weights, episode.support_x, Context())
        task = learner.task_state(episode.support_y)
        loss = learner.support_loss(outputs, episode.support_y, task)
    return connected(tape.gradient(loss, weights))


def kept_shares(learner: Learner) -> tf.Tensor:
    """Computes which share of each layer the learner's masks keep in every forward pass.

    Args:
        learner: `MetaLearner`.

    Returns:
        `[layers]` float64, in the order of the layers that `TaskGradients` reports.
    """
    ones = {name: tf.ones_like(weight) for name, weight in learner.network.params.items()}
    masks = learner.network.transformed(ones, Context())
    kept = [tf.cast(masks[name] != 0, tf.float64) for name in _matrices(learner)]
    return tf.stack([tf.reduce_mean(mask) for mask in kept])


def last_feature_weight(learner: Learner) -> str:
    """Names the last weight matrix or kernel in front of the classifier.

    Args:
        learner: `MetaLearner`.

    Returns:
        One of the layers that `TaskGradients` reports.

    Raises:
        ValueError: there is nothing in front of the classifier.
    """
    classifier = learner.classifier
    head = by_name([] if classifier is None else classifier.trainable_variables)
    features = [name for name in _matrices(learner) if name not in head]
    if not features:
        raise ValueError(
            "Expected a backbone with weights in front of its classifier. "
            f"Received: {learner.backbone.name!r}, which has none."
        )
    return features[-1]


def _matrices(learner):
    variables = learner.network.variables
    return {name: variable for name, variable in variables.items() if len(variable.shape) > 1}


@styled
def gradient_norms(
    reports: Sequence[LayerReport],
    histories: Mapping[str, Sequence[Sequence[Mapping]]] | None = None,
    layer: str = "",
) -> Figure:
    """Draws mean absolute task gradients of kept entries: of a layer over epochs, of all at last.

    Runs of one name (other seeds) are averaged over epochs, with a band of the 95 % interval over
    runs; bars are 95 % intervals over tasks (both Student's t). Axes are logarithmic unless a
    gradient is zero.

    Args:
        reports: from `tfmgaug.analysis.TaskGradients`, of trained learners.
        histories: for each name its runs' histories: rows with "epoch" and "mean_absolute_kept",
            where it was measured. None leaves the panel over epochs away.
        layer: what the panel over epochs is of.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no report, or their layers differ.

    Example:
        >>> save(gradient_norms([maml, ticket], {"MAML": [rows], "Meta-ticket": [others]}), "a.png")

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Figure 2.
    """
    check_layers(reports)
    layers = reports[0].layers
    width = max(4.6, 1.6 + 0.55 * len(layers))
    widths = [4.6, width] if histories else [width]
    figure = new_figure(sum(widths), 4.1 + room_for_names(layers))
    panels = list(figure.subplots(1, len(widths), width_ratios=widths, squeeze=False)[0])
    names = list(dict.fromkeys(report.name for report in reports))
    tasks = described({report.tasks for report in reports}, "tasks")
    titles, notes = ["When trained"], [[f"bars: {tasks}"]]
    if histories:
        _draw_epochs(panels[0], histories, names)
        titles = ["In training", *titles]
        notes = [[layer, _band(histories)], *notes]
    draw_layers(panels[-1], reports, DRAWN)
    panels[-1].set_xlabel("weight")
    if positive(reports, DRAWN):
        panels[-1].set_yscale("log")
    titled(panels, titles, notes)
    panels[0].set_ylabel("mean absolute task gradient, kept entries")
    shared_legend(figure, entries_of(panels[-1:]))
    return figure


def _band(histories) -> str:
    several = {len(runs) for runs in histories.values() if len(runs) > 1}
    return f"means, bands: {described(several, 'runs')}" if several else ""


def _draw_epochs(axes, histories, names) -> None:
    curves = {name: aligned(runs, DRAWN) for name, runs in histories.items()}
    block = draw_curves(axes, curves, [line(names.index(name)) for name in curves])
    if all((values > 0).all() for _, values in curves.values()):
        axes.set_yscale("log")
    finish_epochs(axes, block)
