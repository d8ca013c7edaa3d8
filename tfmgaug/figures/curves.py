"""Training curves: loss and accuracy over epochs."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.drawing.style import COLORS, new_figure, styled

_LINES = (
    ("", "training, after adaptation", COLORS[0], "-"),
    ("val_", "validation, after adaptation", COLORS[1], "-"),
    ("", "training, before adaptation", COLORS[0], ":"),
    ("val_", "validation, before adaptation", COLORS[1], ":"),
)


@styled
def training_curves(history: Sequence[Mapping] | Mapping[str, Sequence]) -> Figure:
    """Draws loss and accuracy of training and validation, before and after adaptation.

    Args:
        history: rows of logs, one for each epoch (what `Checkpoint` writes to `history.json`),
            or the dictionary of lists that `fit` returns as `History.history`.

    Returns:
        A `matplotlib.figure.Figure` with a panel for the loss, and one for the accuracy where
        there is one.

    Raises:
        ValueError: if the history is empty.

    Example:
        >>> save(training_curves(learner.fit(...).history), "training_curves.png")
    """
    rows = _as_rows(history)
    if not rows:
        raise ValueError("`history` must hold at least one epoch. Received an empty one.")
    metrics = [metric for metric in ("loss", "accuracy") if any(metric in row for row in rows)]
    figure = new_figure(4.6 * len(metrics), 3.8)
    panels = figure.subplots(1, len(metrics), squeeze=False)[0]
    for axes, metric in zip(panels, metrics, strict=True):
        _draw_metric(axes, rows, metric)
    handles = {
        label: handle
        for axes in panels
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=2, handlelength=3
    )
    return figure


def _as_rows(history) -> list[dict]:
    if not isinstance(history, Mapping):
        return list(history)
    length = max(map(len, history.values()), default=0)
    # Validation may run on some epochs only: its shorter lists can't be placed.
    columns = {key: values for key, values in history.items() if len(values) == length}
    return [{key: values[k] for key, values in columns.items()} for k in range(length)]


def _draw_metric(axes, rows: list[dict], metric: str) -> None:
    from matplotlib.ticker import MaxNLocator

    scale = 100 if metric == "accuracy" else 1
    epochs = np.array([row.get("epoch", k) + 1 for k, row in enumerate(rows)])
    for prefix, label, color, line in _LINES:
        key = f"{prefix}{metric}{'_before' if line == ':' else ''}"
        values = np.array([_number(row.get(key)) for row in rows]) * scale
        known = np.isfinite(values)
        if known.any():
            style = {"marker": "o", "mfc": "white" if line == ":" else color}
            axes.plot(
                epochs[known],
                values[known],
                color=color,
                ls=line,
                label=label,
                **(style if known.sum() < 15 else {}),
            )
    axes.set_title(metric.capitalize())
    axes.set_ylabel("query accuracy (%)" if metric == "accuracy" else "query loss")
    axes.set_xlabel("epoch")
    margin = max(0.03 * np.ptp(epochs), 0.2)
    axes.set_xlim(epochs[0] - margin, epochs[-1] + margin)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _number(value) -> float:
    return np.nan if value is None else float(value)
