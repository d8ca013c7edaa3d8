"""Colors, markers and titles that tell several curves and panels apart."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tfmgaug.drawing.style import COLORS
from tfmgaug.drawing.wrapping import wrapped

LINES = ("-", "--", "-.", (0, (5, 1, 1, 1, 1, 1)), (0, (3, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
GLYPHS = ("●", "■", "▲", "◆", "▼", "✚")  # the same as text
_FRAME = 0.6  # inches of a panel's width that the numbers and the label beside it take
# What belongs to a chance level, beside all of these.
DOTS = (0, (1, 1.5))


def line(number: int) -> dict:
    """Color, line and marker of the curve with this number, as arguments of `plot`."""
    look = number % len(COLORS)
    shape = shape_of(number)
    return {"color": COLORS[look], "ls": LINES[shape], "marker": MARKERS[shape]}


def shape_of(number: int) -> int:
    """Which line and marker a curve has: beyond six curves, colors return with other shapes."""
    return (number + number // len(COLORS)) % len(MARKERS)


def shades(number: int) -> list:
    """Colors of an ordered series, from light to dark; they stay in order without color."""
    import matplotlib  # here, because `import tfmgaug` should not pay for it

    colors = matplotlib.colormaps["viridis"]
    return [colors(0.95 - 0.9 * k / max(number - 1, 1)) for k in range(number)]


def titled(panels: Sequence[Axes], titles: Sequence[str], notes: Sequence[Sequence[str]]) -> None:
    """Gives panels titles at one height, and lines of small print under them.

    What is wider than a panel is broken into lines.

    Args:
        panels: list of axes.
        titles: one text each.
        notes: a list of lines each; empty ones are left out.
    """
    room = panels[0].get_figure(root=True).get_figwidth() / len(panels) - _FRAME
    lines = [
        [line for note in notes_of if note for line in wrapped(note, room, 8)] for notes_of in notes
    ]
    for axes, title, below in zip(panels, titles, lines):
        broken = "\n".join(wrapped(title, room, 11, "bold"))
        axes.set_title(broken, pad=8 + 11 * max(map(len, lines)))
        axes.text(0, 1.02, "\n".join(below), transform=axes.transAxes, va="bottom", fontsize=8)


def shared_legend(figure: Figure, entries: dict) -> None:
    """Draws one legend under all panels, in as many columns as there is room for.

    Args:
        figure: a `matplotlib.figure.Figure`.
        entries: handles by label.
    """
    widest = 0.55 + 0.08 * max(map(len, entries))  # inches: the handle and the text
    figure.legend(
        entries.values(),
        entries.keys(),
        loc="outside lower center",
        ncols=max(1, int(figure.get_figwidth() / widest)),
        handlelength=2.8,
    )


def entries_of(panels: Sequence[Axes], last: str | None = None) -> dict:
    """Handles by label, of the panels together; the label `last` comes last."""
    entries: dict = {}
    for axes in panels:
        for handle, label in zip(*axes.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    if last in entries:
        entries[last] = entries.pop(last)
    return entries
