import numpy as np
import pytest

from tests.helpers.analysis_reports import layer_report
from tfmgaug.evaluation import half_width
from tfmgaug.figures import gradient_norms

VALUES = {"mean_absolute_kept": [[0.1, 0.3], [0.3, 0.5]]}


def rows(*values):
    return [{"epoch": 2 * k + 1, "mean_absolute_kept": value} for k, value in enumerate(values)]


def test_one_panel_is_over_epochs_and_one_over_layers():
    reports = [layer_report(VALUES, name="MAML"), layer_report(VALUES, name="Meta-ticket")]
    histories = {"MAML": [rows(0.4, 0.2)], "Meta-ticket": [rows(0.3, 0.5), rows(0.5, 0.7)]}
    figure = gradient_norms(reports, histories, layer="dense4_kernel")
    training, trained = figure.axes
    np.testing.assert_allclose(training.lines[0].get_xydata(), [[2, 0.4], [4, 0.2]])
    np.testing.assert_allclose(training.lines[1].get_ydata(), [0.4, 0.6])
    assert training.get_ylabel() == "mean absolute task gradient, kept entries"
    assert "dense4_kernel" in training.texts[0].get_text()
    line, _, (bars,) = trained.containers[0]
    np.testing.assert_allclose(line.get_xydata()[:, 1], [0.2, 0.4])
    half = half_width(0.1, 2)
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], [0.2 - half, 0.2 + half])
    assert line.get_color() == training.lines[0].get_color()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["MAML", "Meta-ticket"]
    assert trained.get_yscale() == training.get_yscale() == "log"


def test_without_histories_there_is_one_panel_and_zeros_are_drawn_on_a_linear_axis():
    zeros = layer_report({"mean_absolute_kept": np.zeros((2, 2))})
    (axes,) = gradient_norms([zeros]).axes
    assert axes.get_yscale() == "linear"


def test_reports_of_other_layers_are_refused():
    other = layer_report(VALUES, layers=("a", "b"))
    for reports in ([], [layer_report(VALUES), other]):
        with pytest.raises(ValueError, match="the same layers"):
            gradient_norms(reports)
