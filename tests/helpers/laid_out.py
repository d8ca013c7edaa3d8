"""What is wrong with the layout of a figure: texts that overlap, texts and markers cut off."""

import itertools
import math

from matplotlib.text import Text

_SLACK = 1.0  # pixels


def drawn(figure):
    """Draws a figure, which all that is here needs, and returns it."""
    figure.canvas.draw()
    return figure


def overlapping(figure):
    """Returns pairs of texts that stand on top of each other."""
    texts = _texts(figure)
    return [
        (a.get_text(), b.get_text()) for a, b in itertools.combinations(texts, 2) if _meet(a, b)
    ]


def cut_off(figure):
    """Returns the texts that leave the canvas, and the legends that do."""
    width, height = figure.canvas.get_width_height()
    outside = [text.get_text() for text in _texts(figure) if _leaves(text, width, height)]
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return outside + [
        "legend" for legend in legends if legend is not None and _leaves(legend, width, height)
    ]


def clipped_markers(figure):
    """Returns the markers that their axes cut through, as labels of their lines and points."""
    clipped = []
    for axes in figure.axes:
        box = axes.get_window_extent()
        for line in axes.lines:
            if line.get_marker() in ("None", None, "") or not line.get_clip_on():
                continue
            radius = 0.5 * line.get_markersize() * figure.dpi / 72
            points = axes.transData.transform(line.get_xydata())
            for x, y in points[:: line.get_markevery() or 1]:
                inside = box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1
                room = min(x - box.x0, box.x1 - x, y - box.y0, box.y1 - y)
                if inside and room < radius - _SLACK:
                    clipped.append((line.get_label(), float(x), float(y)))
    return clipped


def _texts(figure):
    hidden = {id(text) for axes in figure.axes for text in _hidden(axes)}
    return [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in hidden
    ]


def _hidden(axes):
    """The texts of axes that are switched off, and the labels of ticks beyond their ends."""
    if not axes.axison:
        return axes.findobj(Text)
    hidden = []
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_transform().transform(axis.get_view_interval()))
        slack = 1e-6 * (high - low)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            place = axis.get_transform().transform(tick.get_loc())
            if not (tick.get_visible() and low - slack <= place <= high + slack):
                hidden += [tick.label1, tick.label2]
    return hidden


def _box(artist):
    return artist.get_window_extent(artist.figure.canvas.get_renderer())


def _leaves(artist, width, height):
    box = _box(artist)
    return (
        box.x0 < -_SLACK or box.y0 < -_SLACK or box.x1 > width + _SLACK or box.y1 > height + _SLACK
    )


def _meet(a, b):
    angle = a.get_rotation()
    if angle == b.get_rotation() and angle % 90:
        return _lines_meet(a, b, math.radians(angle))
    first, second = _box(a), _box(b)
    return (
        min(first.x1, second.x1) - max(first.x0, second.x0) > _SLACK
        and min(first.y1, second.y1) - max(first.y0, second.y0) > _SLACK
    )


def _lines_meet(a, b, angle):
    """Whether two texts at one angle are closer than a line is high."""
    (x0, y0), (x1, y1) = (text.get_transform().transform(text.get_position()) for text in (a, b))
    across = abs((x1 - x0) * math.sin(angle) - (y1 - y0) * math.cos(angle))
    return across < a.get_fontsize() * a.figure.dpi / 72
