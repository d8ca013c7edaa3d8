"""How training went in several runs: loss and accuracy side by side."""

from collections.abc import Mapping, Sequence

import numpy as np

from tfmgaug.figures.looks import entries_of, line, shared_legend
from tfmgaug.figures.style import new_figure, styled

_PANELS = (
    ("loss", "Training loss"),
    ("val_loss", "Validation loss"),
    ("accuracy", "Training accuracy"),
    ("val_accuracy", "Validation accuracy"),
)


_DENSE = 200  # points of a curve, above which neighbors are averaged


@styled
def run_curves(
    histories: Mapping[str, Sequence[Sequence[Mapping]]],
    marks: Mapping[str, int] | None = None,
):
    """Draws loss and accuracy of training and validation over epochs, one curve a name.

    Several runs under one name (other seeds) are averaged, with a band of the 95 % interval over
    runs (1.96 standard errors). Of a long history, each point is the mean of neighboring epochs;
    the axis says how many.

    Args:
        histories: for each name its runs' histories: rows of logs, one for each epoch, as
            `Checkpoint` writes them to `history.json`.
        marks: for some names the number of epochs after which something began (MGAug): a vertical
            line in the color of the curve.

    Returns:
        A `matplotlib.figure.Figure` with four panels, or two where there is no accuracy.

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
    panels = [(key, title) for key, title in _PANELS if key in present]
    figure = new_figure(3.5 * len(panels), 3.5)
    for axes, (key, title) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels):
        curves = {name: aligned(runs, key) for name, runs in histories.items()}
        block = _block(max(len(epochs) for epochs, _ in curves.values()))
        for number, (name, curve) in enumerate(curves.items()):
            draw_curve(axes, name, *_thinned(*curve, block), line(number), scale=_scale(key))
            if marks and name in marks:
                axes.axvline(marks[name] + 0.5, color=line(number)["color"], lw=1.2, ls=":")
        _finish(axes, key, title, block)
    shared_legend(figure, entries_of(figure.axes))
    return figure


def _scale(key: str) -> float:
    return 100.0 if "accuracy" in key else 1.0


def draw_curve(axes, name: str, epochs, values, look: dict, scale: float) -> None:
    """Draws the mean of several runs with a band of its 95 % interval, or a single run.

    Args:
        axes: where to.
        name: in the legend.
        epochs: `[epochs]`.
        values: `[runs, epochs]`.
        look: of `tfmgaug.figures.looks.line`.
        scale: factor on the values.
    """
    if not len(epochs):
        return
    runs, mean = len(values), scale * values.mean(axis=0)
    label = name if runs == 1 else f"{name} (mean of {runs} runs)"
    every = max(1, len(epochs) // 8)
    axes.plot(epochs, mean, **look, ms=4, lw=1.5, markevery=every, label=label)
    if runs > 1:
        interval = scale * 1.96 * values.std(axis=0, ddof=1) / np.sqrt(runs)
        axes.fill_between(
            epochs, mean - interval, mean + interval, color=look["color"], alpha=0.18, lw=0
        )


def aligned(runs, key: str) -> tuple[np.ndarray, np.ndarray]:
    """The epochs, from 1, that all runs have a value for, and the values `[runs, epochs]`."""
    columns = [
        {row.get("epoch", k) + 1: row[key] for k, row in enumerate(run) if row.get(key) is not None}
        for run in runs
    ]
    common = sorted(set.intersection(*(set(column) for column in columns)))
    return np.array(common), np.array([[column[epoch] for epoch in common] for column in columns])


def _block(points: int) -> int:
    """How many neighboring epochs are averaged, so that curves can be told apart."""
    return -(-points // (_DENSE // 2)) if points > _DENSE else 1


def _thinned(epochs, values, block: int) -> tuple[np.ndarray, np.ndarray]:
    if block == 1 or not len(epochs):
        return epochs, values
    starts = np.arange(0, len(epochs), block)
    lengths = np.diff(np.append(starts, len(epochs)))
    return (
        np.add.reduceat(epochs, starts) / lengths,
        np.add.reduceat(values, starts, axis=1) / lengths,
    )


def _finish(axes, key: str, title: str, block: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(title)
    axes.set_xlabel("epoch" if block == 1 else f"epoch (means of {block})")
    axes.set_ylabel("query accuracy (%)" if "accuracy" in key else "query loss")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
