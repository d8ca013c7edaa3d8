"""The style of figures, and their files."""

import functools
import io
import os
import pathlib
from collections.abc import Callable

from matplotlib.figure import Figure

from tfmgaug.files import write_bytes

# Okabe and Ito's palette: told apart with any color vision, and in this order by lightness too.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, GRAY, PALE = "#222222", "#767676", "#E3E3E3"

_RC = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": GRAY,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.8,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def styled(draw: Callable) -> Callable:
    """Runs a drawing function in the package's style; the user's own settings stay untouched."""

    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        import matplotlib  # here, because `import tfmgaug` should not pay for it

        with matplotlib.rc_context(_RC):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(width: float, height: float) -> Figure:
    """An empty figure on the Agg canvas, unknown to pyplot: it needs no screen and no closing."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | os.PathLike, dpi: int = 150) -> None:
    """Writes a figure; a file at `path` is whole at any moment.

    Args:
        figure: a `matplotlib.figure.Figure`.
        path: where to; the ending (`.png`, `.pdf`, `.svg`) decides the format.
        dpi: dots per inch.

    Raises:
        OSError: `path` cannot be written; the text says why, and what to do.

    Example:
        >>> save(accuracy_per_step(report), "runs/first/accuracy_per_step.png")
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=dpi, format=pathlib.Path(path).suffix[1:] or None)
    write_bytes(path, drawn.getbuffer())
