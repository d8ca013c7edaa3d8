"""Training curves of several runs, side by side."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from tfmgaug.drawing.histories import aligned, draw_curves, finish_epochs, label_of
from tfmgaug.drawing.looks import entries_of, line, shared_legend
from tfmgaug.drawing.style import new_figure, styled

_PANELS = (
    ("loss", "Training loss"),
    ("val_loss", "Validation loss"),
    ("accuracy", "Training accuracy"),
    ("val_accuracy", "Validation accuracy"),
)


@styled
def run_curves(
    histories: Mapping[str, Sequence[Sequence[Mapping]]],
    marks: Mapping[str, int] | None = None,
    panels: Sequence[tuple[str, str]] = _PANELS,
) -> Figure:
    """Draws loss and accuracy of training and validation over epochs, one curve a name.

    Several runs under one name (other seeds) are averaged, with a band of the 95 % interval over
    runs (Student's t), as the legend says; a single run has none. Of a long history, each point is
    the mean of neighboring epochs; the axis says how many.

    Args:
        histories: for each name its runs' histories: rows of logs, one for each epoch, as
            `Checkpoint` writes them to `history.json`.
        marks: for some names the number of epochs after which something began (MGAug): a vertical
            line in the color of the curve.
        panels: which logs are drawn, pairs of their key and a title.

    Returns:
        A `matplotlib.figure.Figure` with a panel for each of these logs that there is: by default
        four, or two without accuracy.

    Raises:
        ValueError: if there is no name, or one without a history, or with an empty one.

    Example:
        >>> save(run_curves({"FOMAML": [plain], "MGAug": [seed0, seed1, seed2]}), "curves.png")

    Reference:
        Wang et al., MGAug, Figures 3 and 6.
    """
    if not histories or not all(runs and all(runs) for runs in histories.values()):
        raise ValueError(
            "`histories` must hold at least one name, each with runs of at least one epoch. "
            f"Received: { {name: [len(run) for run in runs] for name, runs in histories.items()} }."
        )
    present = {key for runs in histories.values() for run in runs for row in run for key in row}
    panels = [(key, title) for key, title in panels if key in present]
    figure = new_figure(3.5 * len(panels), 3.5)
    for axes, (key, title) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        curves = {label_of(name, runs): aligned(runs, key) for name, runs in histories.items()}
        looks = [line(number) for number in range(len(curves))]
        block = draw_curves(axes, curves, looks, _scale(key))
        for name, look in zip(histories, looks):
            if marks and name in marks:
                axes.axvline(marks[name] + 0.5, color=look["color"], lw=1.2, ls=":")
        axes.set_title(title)
        axes.set_ylabel(_label(key))
        finish_epochs(axes, block)
    shared_legend(figure, entries_of(figure.axes))
    return figure


def _label(key: str) -> str:
    if key == "accuracy_gap":
        return "training − test accuracy (points)"
    return "query accuracy (%)" if "accuracy" in key else "query loss"


def _scale(key: str) -> float:
    return 100.0 if "accuracy" in key else 1.0
