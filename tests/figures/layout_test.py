"""Every figure keeps its texts apart, on the canvas and whole, whatever runs are called."""

import numpy as np
import pytest

from tests.helpers import analysis_reports, laid_out
from tests.helpers.gallery import DIRECTORIES, FIGURES
from tfmgaug import figures
from tfmgaug.drawing.looks import line
from tfmgaug.drawing.style import new_figure
from tfmgaug.drawing.wrapping import wrapped


def test_the_gallery_has_every_figure():
    assert {name.split(" ")[0] for name in FIGURES} == set(figures.__all__) - {"save"}


@pytest.mark.parametrize("figure", FIGURES)
def test_texts_neither_overlap_nor_leave_the_canvas(figure):
    drawn = laid_out.drawn(FIGURES[figure](DIRECTORIES))
    assert laid_out.overlapping(drawn) == []
    assert laid_out.cut_off(drawn) == []
    assert laid_out.clipped_markers(drawn) == []


@pytest.mark.parametrize("steps", [0, 1, 20])
def test_stars_of_a_hat_graph_are_whole_where_all_bars_rise_from_them(steps):
    accuracy = np.broadcast_to([[[0.2], [0.4]]], [2, 2, steps + 1])
    drawn = laid_out.drawn(figures.hat_graph(analysis_reports.report(accuracy, way=None)))
    (stars,) = [line for line in drawn.axes[0].lines if line.get_marker() == "*"]
    stars.set_clip_on(True)
    assert laid_out.clipped_markers(drawn) == []


def test_overlapping_and_cut_texts_and_clipped_markers_are_recognized():
    figure = new_figure(3, 2)
    figure.text(0.1, 0.5, "first")
    figure.text(0.12, 0.5, "second")
    figure.text(0.9, 0.5, "beyond the edge")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], marker="o", label="line")
    axes.set_ylim(0, 2)
    laid_out.drawn(figure)
    assert ("first", "second") in laid_out.overlapping(figure)
    assert laid_out.cut_off(figure) == ["beyond the edge"]
    assert [label for label, *_ in laid_out.clipped_markers(figure)] == ["line"]


def test_names_are_broken_where_they_can_be_and_anywhere_else():
    assert wrapped("MAML", 3, 11, "bold") == ["MAML"]
    assert wrapped("omniglot-5way-1shot", 1, 11) == ["omniglot-", "5way-1shot"]
    lines = wrapped("m" * 40, 1, 11)
    assert "".join(lines) == "m" * 40
    assert len(lines) > 3


def test_36_curves_look_different():
    looks = [line(number) for number in range(36)]
    assert len({(look["color"], look["marker"]) for look in looks}) == 36
    assert looks[0]["marker"] != looks[6]["marker"]
