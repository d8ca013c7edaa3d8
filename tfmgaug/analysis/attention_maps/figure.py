"""Grad-CAM maps over their images, one column a network."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.analysis.attention_maps.report import Attention
from tfmgaug.drawing.style import GRAY, INK, new_figure, styled

_OPACITY = 0.8  # of the map where it is highest; in proportion elsewhere
_DARKEST = 0.2  # of an image under a map, so that colors show on black too
_CELL = 1.35  # inches


@styled
def attention_grid(result: Attention, class_names: Sequence[str] | None = None) -> Figure:
    """Draws a row for each query: the image, and what each network looks at.

    Maps are scaled to their own highest value; under each stands the probability that the network
    gives the class explained, in bold where it is the predicted one. The class is the query's own
    where none is named. "no map": nothing speaks for the class, the map is zero.

    Args:
        result: from `tfmgaug.analysis.attention`.
        class_names: names of the labels 0, 1, ...; numbers by default.

    Returns:
        A `matplotlib.figure.Figure`.

    Example:
        >>> save(attention_grid(attention(learner, episode, CatfishMask())), "attention.png")

    Reference:
        Wang et al., MGAug, Figure 7; Selvaraju et al., 2020, https://arxiv.org/abs/1610.02391.
    """
    queries, columns = len(result.images), 1 + len(result.networks)
    aspect = result.images.shape[1] / result.images.shape[2]
    figure = new_figure(_CELL * columns + 1.2, (_CELL * aspect + 0.25) * queries + 0.5)
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.05, hspace=0)  # type: ignore[call-arg]
    panels = figure.subplots(queries, columns, squeeze=False)
    heat = result.heat()
    for query, row in enumerate(panels):
        _show_image(row[0], result.images[query])
        row[0].set_xlabel(_named(result.labels[query], class_names), fontsize=8)
        for network, axes in enumerate(row[1:]):
            drawn = _show_heat(axes, result.images[query], heat[network, query])
            _caption(axes, result, network, query, class_names)
    for axes, title in zip(panels[0], ["image", *(n.name for n in result.networks)]):
        # The last word on a line of its own: columns are narrow.
        axes.set_title("\n".join(title.rsplit(" ", 1)), loc="center", fontsize=9)
    bar = figure.colorbar(drawn, ax=panels, shrink=0.6, aspect=25, pad=0.02)
    bar.set_label(f"Grad-CAM at {result.stage}, share of the map's highest", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    bar.outline.set_visible(False)
    return figure


def _show_image(axes, image) -> None:
    axes.imshow(np.clip(image, 0, 255).astype(np.uint8), cmap="gray", vmin=0, vmax=255)
    _bare(axes)


def _show_heat(axes, image, heat):
    gray = _DARKEST + (1 - _DARKEST) * np.clip(image, 0, 255).mean(axis=-1) / 255
    axes.imshow(gray, cmap="gray", vmin=0, vmax=1)
    drawn = axes.imshow(heat, cmap="inferno", vmin=0, vmax=1, alpha=_OPACITY * heat)
    _bare(axes)
    return drawn


def _bare(axes) -> None:
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=GRAY, linewidth=0.6)


def _caption(axes, result: Attention, network: int, query: int, class_names) -> None:
    target = result.targets[network, query]
    probabilities = result.probabilities[network, query]
    predicted = probabilities.argmax() == target
    is_label = target == result.labels[query]
    name = "" if is_label else f"{_named(target, class_names)}\n"
    no_map = "" if result.maps[network, query].any() else " (no map)"
    axes.set_xlabel(
        f"{name}{100 * probabilities[target]:.0f} %{no_map}",
        fontsize=8,
        color=INK if predicted else GRAY,
        weight="bold" if predicted else "normal",
    )


def _named(label: int, class_names, length: int = 18) -> str:
    name = f"class {label}" if class_names is None else str(class_names[label])
    return name if len(name) <= length else name[: length - 1] + "…"
