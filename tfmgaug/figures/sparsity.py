"""The share of pruned weights in each layer over training."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from tfmgaug.drawing.histories import aligned, draw_curves, finish_epochs
from tfmgaug.drawing.looks import MARKERS, entries_of, shades, titled
from tfmgaug.drawing.style import new_figure, styled
from tfmgaug.evaluation.intervals import described

_PREFIX = "mask_sparsity/"
_NAMED = 14  # layers in the legend, at most


@styled
def sparsity_curves(histories: Mapping[str, Sequence[Sequence[Mapping]]]) -> Figure:
    """Draws the share pruned of each layer over epochs, a panel a name.

    Several runs under one name (other seeds) are averaged, with a band of the 95 % interval over
    runs (Student's t); a single run has none. Layers go from light to dark, the deeper the darker;
    of many layers the legend names every second, or third.

    Args:
        histories: for each name its runs' histories: rows of logs, one for each epoch, with
            `"mask_sparsity/<layer>"`, as `tfmgaug.callbacks.MaskSparsity` adds them.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if there is no name, or a run without sparsities.

    Example:
        >>> save(sparsity_curves({"Meta-ticket": [seed0, seed1]}), "sparsity.png")
    """
    layers = {name: _common_layers(name, runs) for name, runs in histories.items()}
    if not layers:
        raise ValueError("`histories` must hold at least one name. Received: none.")
    longest = max(len(layer) for runs_of_layer in layers.values() for layer in runs_of_layer)
    figure = new_figure(1.4 + 3.8 * len(histories) + 0.08 * longest, 4.1)
    panels = figure.subplots(1, len(histories), sharey=True, squeeze=False)[0]
    for axes, (name, runs) in zip(panels, histories.items()):
        _draw_panel(axes, runs, layers[name])
    notes = [
        [f"means, bands: {described(len(runs), 'runs')}" if len(runs) > 1 else ""]
        for runs in histories.values()
    ]
    titled(panels, list(histories), notes)
    panels[0].set_ylabel("pruned weights (%)")
    panels[0].set_ylim(bottom=0)
    _draw_legend(figure, entries_of(panels))
    return figure


def _draw_panel(axes, runs, layers) -> None:
    curves = {layer: aligned(runs, _PREFIX + layer) for layer in layers}
    looks = [
        {"color": color, "marker": MARKERS[number % len(MARKERS)]}
        for number, color in enumerate(shades(len(layers)))
    ]
    finish_epochs(axes, draw_curves(axes, curves, looks, scale=100))


def _draw_legend(figure, entries: dict) -> None:
    """Names layers beside the panels, of many only some: their shades tell the order."""
    every = -(-len(entries) // _NAMED)
    named = list(entries)[::every]
    figure.legend([entries[name] for name in named], named, loc="outside right upper")


def _common_layers(name: str, runs) -> list[str]:
    """The layers that all runs of a name have, in the order of the network."""
    keys = [
        list(dict.fromkeys(key for row in run for key in row if key.startswith(_PREFIX)))
        for run in runs
    ]
    if not keys or not all(keys) or len(set(map(tuple, keys))) != 1:
        raise ValueError(
            f"Expected runs of one backbone under {name!r}, with {_PREFIX}<layer> in their "
            f"histories. Received: runs with {[len(keys) for keys in keys]} layers."
        )
    return [key.removeprefix(_PREFIX) for key in keys[0]]
