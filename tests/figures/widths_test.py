import numpy as np
import pytest

from tfmgaug.evaluation import half_width
from tfmgaug.figures import accuracy_against_width


def test_points_are_means_over_runs_and_single_runs_are_hollow_without_a_bar():
    figure = accuracy_against_width({"MAML": {4: [0.6, 0.8], 1: [0.5]}}, "omniglot", way=5)
    (axes,) = figure.axes
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [[1, 50], [4, 70]])
    (bars,) = axes.containers[0][2]
    half = 100 * half_width(0.1, 2)
    np.testing.assert_allclose(bars.get_segments(), [[[4, 70 - half], [4, 70 + half]]])
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(hollow[0].get_xydata(), [[1, 50]])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "4"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["MAML", "chance"]
    note = axes.texts[0].get_text()
    assert note == "bars: 95 % interval over 2 runs, Student's t\nhollow: one run"


def test_chance_is_shown_where_it_does_not_press_the_lines_together():
    for worst, labels in ((0.3, ["MAML", "chance"]), (0.8, ["MAML"])):
        figure = accuracy_against_width({"MAML": {1: [worst], 4: [0.9]}}, way=5)
        assert [text.get_text() for text in figure.legends[0].get_texts()] == labels


def test_nothing_is_refused():
    for nothing in ({}, {"MAML": {}}, {"MAML": {1: []}}):
        with pytest.raises(ValueError, match="at least one"):
            accuracy_against_width(nothing)
