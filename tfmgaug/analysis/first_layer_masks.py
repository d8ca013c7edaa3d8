"""Input masks: the pixels that each unit of a ticket's first layer reads."""

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.drawing.style import GRAY, new_figure, styled
from tfmgaug.learners import MetaTicket
from tfmgaug.types import Learner

_CELL = 0.62  # inches
_COLORMAP = "cividis"  # made to look the same with and without color-blindness; light is kept


def input_masks(learner: Learner) -> np.ndarray:
    """Reads the score masks of a ticket's first layer as images.

    Args:
        learner: `MetaTicket` whose backbone begins with a dense layer on all pixels, as `mlp` does.

    Returns:
        A boolean array `[units, height, width, channels]`: True where the unit sees the pixel.

    Raises:
        TypeError: the learner is no `MetaTicket`.
        ValueError: its first layer is no dense layer on the pixels of an image.

    Example:
        >>> tfmgaug.figures.save(tfmgaug.figures.input_mask_grid(input_masks(learner)), "masks.png")

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Figure 4.
    """
    if not isinstance(learner, MetaTicket):
        raise TypeError(
            "Input masks are those of a MetaTicket: other learners have none. "
            f"Received: {type(learner).__name__}."
        )
    shape, first = learner.image_shape, next(iter(learner.network.variables))
    kernel = learner.score_mask.masks().get(first)
    if len(shape) != 3 or kernel is None or kernel.shape[:-1] != (np.prod(shape),):
        received = None if kernel is None else tuple(kernel.shape)
        raise ValueError(
            "Expected a first layer that is dense, on all pixels of an image. Received: "
            f"{learner.backbone.name!r}, of inputs {tuple(shape)} and a first mask {received}."
        )
    return np.moveaxis(kernel.numpy(), -1, 0).reshape(-1, *shape) > 0


@styled
def input_mask_grid(masks: np.ndarray, units: int = 20) -> Figure:
    """Draws which pixels units see, and which share of all units sees each pixel.

    Light is what is kept. Of a pixel with several channels, the share of them that is kept is
    drawn.

    Args:
        masks: from `tfmgaug.analysis.input_masks`, boolean `[units, height, width, channels]`.
        units: int >= 1, how many units are drawn, the first ones. The share is over all.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if an argument is out of range.

    Example:
        >>> save(input_mask_grid(input_masks(learner)), "input_masks.png")

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Figure 4.
    """
    masks = np.asarray(masks)
    if masks.ndim != 4 or not len(masks) or units < 1:
        raise ValueError(
            "Expected masks [units, height, width, channels] and at least one unit to draw. "
            f"Received: masks of shape {masks.shape} and units={units}."
        )
    images = masks.mean(axis=-1)
    shown = images[:units]
    rows = int(np.sqrt(len(shown)))
    columns = -(-len(shown) // rows)
    height = max(2.6, _CELL * rows + 0.6)
    figure = new_figure(_CELL * columns + 1.0 + height, height)
    units_side, share_side = figure.subfigures(1, 2, width_ratios=[_CELL * columns + 0.2, height])  # type: ignore[misc]
    _draw_units(units_side, shown, rows, columns)
    _draw_share(share_side, images.mean(axis=0), len(images))
    return figure


def _draw_units(figure, images, rows: int, columns: int) -> None:
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, image in zip(panels, images):
        _show(axes, image, 0, 1)
    for axes in panels[len(images) :]:
        axes.set_axis_off()
    figure.suptitle(f"First {len(images)} units", x=0.02, ha="left", size=11, weight="bold")


def _draw_share(figure, share, units: int) -> None:
    axes = figure.subplots()
    drawn = _show(axes, 100 * share, 100 * share.min(), 100 * share.max())
    figure.suptitle(f"All {units} units", x=0.02, ha="left", size=11, weight="bold")
    axes.set_xlabel(f"{100 * share.mean():.1f} % of the weights are kept", fontsize=8)
    bar = figure.colorbar(drawn, ax=axes, shrink=0.9, aspect=20)
    bar.set_label("units that see the pixel (%)", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)


def _show(axes, image, low: float, high: float):
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=GRAY, linewidth=0.6)
    return axes.imshow(image, cmap=_COLORMAP, vmin=low, vmax=high, interpolation="nearest")
