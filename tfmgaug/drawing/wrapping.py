"""Texts broken into lines that fit a width."""

import functools
import re

# A name may be broken behind these.
_PIECE = re.compile(r"[^\s\-_/,]*[\s\-_/,]|[^\s\-_/,]+")


def wrapped(text: str, inches: float, size: float, weight: str = "normal") -> list[str]:
    """Breaks a text into lines, between words or, as in names of directories, behind -, _ or /.

    A piece that is wider than a line is broken anywhere.

    Args:
        text: one line.
        inches: width that a line may have.
        size: of the font, in points.
        weight: of the font, "normal" or "bold".

    Returns:
        The lines; one, if all of the text fits.
    """
    lines = [""]
    for piece in _PIECE.findall(text):
        if _width(lines[-1] + piece.rstrip(), size, weight) > inches and lines[-1]:
            lines.append("")
        while len(piece) > 1 and _width(piece.rstrip(), size, weight) > inches:
            fitting = _fitting(piece, inches, size, weight)
            lines[-1:] = [piece[:fitting], ""]
            piece = piece[fitting:]
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def _fitting(piece: str, inches: float, size: float, weight: str) -> int:
    """How many letters of a piece fit, at least one."""
    numbers = range(len(piece), 1, -1)
    return next((n for n in numbers if _width(piece[:n], size, weight) <= inches), 1)


@functools.lru_cache(maxsize=1024)
def _width(text: str, size: float, weight: str) -> float:
    """Inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans", weight=weight)
    return TextPath((0, 0), text, size=size, prop=font).get_extents().width / 72 if text else 0.0
