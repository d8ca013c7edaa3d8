import numpy as np
import pytest

from tfmgaug import figures
from tfmgaug.evaluation import half_width


def history(training, test):
    return [
        {"epoch": n, "training_accuracy": a, "test_accuracy": b, "accuracy_gap": a - b}
        for n, (a, b) in enumerate(zip(training, test))
    ]


def test_the_gap_has_a_panel_beside_both_accuracies():
    figure = figures.gap_curves({"0 %": [history([0.5, 0.9], [0.4, 0.5])], "40 %": [
        history([0.5, 0.7], [0.4, 0.6]), history([0.5, 0.6], [0.4, 0.6])]})  # fmt: skip
    *_, gap = figure.axes
    assert gap.get_title("left") == "Their difference"
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == [*["query accuracy (%)"] * 2, "training − test accuracy (points)"]
    np.testing.assert_allclose(gap.lines[0].get_ydata(), [10, 40])
    np.testing.assert_allclose(gap.lines[1].get_ydata(), [10, 5])


def test_runs_of_one_length_are_averaged_and_a_single_one_has_no_bar():
    figure = figures.sensitivity_curves({"DSD": [(30, 0.6), (10, 0.5), (30, 0.4)]}, "steps")
    (axes,) = figure.axes
    (container,) = axes.containers
    np.testing.assert_array_equal(container.lines[0].get_xdata(), [10, 30])
    np.testing.assert_allclose(container.lines[0].get_ydata(orig=False), [50, 50])
    alone, several = container.lines[2][0].get_segments()
    assert len(alone) == 0
    np.testing.assert_allclose(np.ptp(several[:, 1]), 2 * half_width(10, 2))
    assert axes.texts[0].get_text() == "bars: 95 % interval over 2 runs, Student's t"
    assert axes.get_xlabel() == "steps"
    with pytest.raises(ValueError, match="at least one pair"):
        figures.sensitivity_curves({"DSD": []}, "steps")
