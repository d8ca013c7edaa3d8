"""Curves over epochs, averaged over runs and thinned."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from tfmgaug.evaluation.intervals import described, half_width

_DENSE = 200  # points of a curve, above which neighbors are averaged


def draw_curves(axes: Axes, curves: dict, looks: list[dict], scale: float = 1.0) -> int:
    """Draws curves over epochs, of several runs with a band of the 95 % interval over runs.

    Intervals are Student's t. A single run has none, and no band.

    Args:
        axes: where to draw.
        curves: (epochs, values `[runs, epochs]`) by label, from `aligned`.
        looks: arguments of `plot` for each curve.
        scale: what values are multiplied with.

    Returns:
        How many neighboring epochs were averaged into a point.
    """
    block = _block(max(len(epochs) for epochs, _ in curves.values()))
    for (label, (epochs, values)), look in zip(curves.items(), looks):
        _draw_curve(axes, label, *_thinned(epochs, values, block), look, scale)
    return block


def aligned(runs: Sequence[Sequence[Mapping]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """The epochs, from 1, that all runs have a value for, and the values `[runs, epochs]`."""
    columns = [
        {row.get("epoch", k) + 1: row[key] for k, row in enumerate(run) if row.get(key) is not None}
        for run in runs
    ]
    common = sorted(set.intersection(*(set(column) for column in columns)))
    return np.array(common), np.array([[column[epoch] for epoch in common] for column in columns])


def label_of(name: str, runs: Sequence[Sequence[Mapping]]) -> str:
    """What the legend calls the curve of these runs, and the band of several."""
    return name if len(runs) == 1 else f"{name} (mean, {described(len(runs), 'runs')})"


def finish_epochs(axes: Axes, block: int) -> None:
    """Labels the axis of epochs, and says how many a point is the mean of."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch" if block == 1 else f"epoch (means of {block})")
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))


def _draw_curve(axes, label: str, epochs, values, look: dict, scale: float) -> None:
    if not len(epochs):
        return
    runs, mean = len(values), scale * values.mean(axis=0)
    every = max(1, len(epochs) // 8)
    axes.plot(epochs, mean, **look, ms=4, lw=1.5, markevery=every, label=label)
    if runs > 1:
        interval = scale * half_width(values.std(axis=0, ddof=1) / np.sqrt(runs), runs)
        axes.fill_between(
            epochs, mean - interval, mean + interval, color=look["color"], alpha=0.18, lw=0
        )


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
