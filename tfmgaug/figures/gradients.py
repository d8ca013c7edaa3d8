"""Task gradients through training, and layer by layer at its end."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from tfmgaug.analysis.layer_report import LayerReport
from tfmgaug.evaluation.intervals import described
from tfmgaug.figures.histories import aligned, draw_curves, finish_epochs
from tfmgaug.figures.layers import check_layers, draw_layers, positive, room_for_names
from tfmgaug.figures.looks import entries_of, line, shared_legend, titled
from tfmgaug.figures.style import new_figure, styled

_MEASURE = "mean_absolute"


@styled
def gradient_norms(
    reports: Sequence[LayerReport],
    histories: Mapping[str, Sequence[Sequence[Mapping]]] | None = None,
    layer: str = "",
) -> Figure:
    """Draws mean absolute task gradients: of one layer over epochs, and of all when trained.

    Runs of one name (other seeds) are averaged over epochs, with a band of the 95 % interval over
    runs; bars are 95 % intervals over tasks (both Student's t). Axes are logarithmic unless a
    gradient is zero.

    Args:
        reports: from `tfmgaug.analysis.TaskGradients`, of trained learners.
        histories: for each name its runs' histories: rows with "epoch" and "mean_absolute", where
            it was measured. None leaves the panel over epochs away.
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
    draw_layers(panels[-1], reports, _MEASURE)
    panels[-1].set_xlabel("weight")
    if positive(reports, _MEASURE):
        panels[-1].set_yscale("log")
    titled(panels, titles, notes)
    panels[0].set_ylabel("mean absolute task gradient")
    shared_legend(figure, entries_of(panels[-1:]))
    return figure


def _band(histories) -> str:
    several = {len(runs) for runs in histories.values() if len(runs) > 1}
    return f"means, bands: {described(several, 'runs')}" if several else ""


def _draw_epochs(axes, histories, names) -> None:
    curves = {name: aligned(runs, _MEASURE) for name, runs in histories.items()}
    block = draw_curves(axes, curves, [line(names.index(name)) for name in curves])
    if all((values > 0).all() for _, values in curves.values()):
        axes.set_yscale("log")
    finish_epochs(axes, block)
