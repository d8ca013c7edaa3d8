"""The images of one episode."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from tfmgaug.drawing.style import COLORS, INK, new_figure, styled
from tfmgaug.episode import Episode


@styled
def episode_grid(
    episode: Episode, class_names: Sequence[str] | None = None, queries: int = 8
) -> Figure:
    """Draws an episode: a row for each class, support images left, queries right.

    Args:
        episode: an `Episode` of one task with images `[n, height, width, channels]` in 0-255.
        class_names: names of the labels 0, 1, ...; numbers by default.
        queries: number of queries of a class that are drawn at most.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: if the episode holds no images.

    Example:
        >>> save(episode_grid(sampler.episode(0)), "episode.png")
    """
    support_x, query_x = np.asarray(episode.support_x), np.asarray(episode.query_x)
    if support_x.ndim != 4 or support_x.shape[-1] not in (1, 3):
        raise ValueError(
            "`episode_grid` draws images of shape [n, height, width, 1 or 3]. "
            f"Received: episode.support_x of shape {support_x.shape}."
        )
    labels = np.unique(episode.support_y)
    support = _rows(support_x, np.asarray(episode.support_y), labels, None)
    query = _rows(query_x, np.asarray(episode.query_y), labels, queries)
    mosaics = [_mosaic(rows) for rows in (support, query)]
    widths = [mosaic.shape[1] for mosaic in mosaics]
    cell = 0.62 / support_x.shape[2]  # inches
    figure = new_figure(cell * sum(widths) + 2.0, cell * mosaics[0].shape[0] + 0.4)
    figure.get_layout_engine().set(wspace=0.05, w_pad=0.03, h_pad=0.06)  # type: ignore[call-arg]
    axes = figure.subplots(1, 2, width_ratios=widths)
    names = [str(label) for label in labels] if class_names is None else class_names
    _panel(axes[0], mosaics[0], "Support", COLORS[1])
    _panel(axes[1], mosaics[1], "Query", COLORS[0])
    centers = _centers(len(labels), support_x.shape[1])
    axes[0].set_yticks(centers, [_short(name) for name in names])
    return figure


def _rows(images, labels, classes, limit: int | None) -> list[np.ndarray]:
    return [images[labels == label][:limit] for label in classes]


def _panel(axes, mosaic: np.ndarray, title: str, color: str) -> None:
    axes.imshow(mosaic, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_title(title, color=color)
    axes.grid(False)
    axes.set(xticks=[], yticks=[])
    axes.tick_params(length=0, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set(visible=True, color=color, linewidth=1.5)


def _gutter(height: int) -> int:
    return max(1, round(height / 14))


def _centers(rows: int, height: int) -> np.ndarray:
    gap = _gutter(height)
    return gap + np.arange(rows) * (height + gap) + (height - 1) / 2


def _mosaic(rows: list[np.ndarray]) -> np.ndarray:
    """Images side by side on white, `[height, width, 3]` uint8."""
    height, width = rows[0].shape[1:3]
    gap, columns = _gutter(height), max(map(len, rows))
    shape = (len(rows) * (height + gap) + gap, columns * (width + gap) + gap, 3)
    mosaic = np.full(shape, 255, np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            y, x = gap + row * (height + gap), gap + column * (width + gap)
            mosaic[y : y + height, x : x + width] = np.clip(image, 0, 255).astype(np.uint8)
    return mosaic


def _short(name: str, length: int = 30) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
