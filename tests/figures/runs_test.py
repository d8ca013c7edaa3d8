import numpy as np
import pytest

from tfmgaug.evaluation import half_width
from tfmgaug.figures import run_curves


def history(level, epochs=3):
    return [
        {
            "epoch": k,
            "loss": level + k,
            "accuracy": 0.1 * k,
            "val_loss": None if k == 1 else level,
            "val_accuracy": None if k == 1 else 0.5,
        }
        for k in range(epochs)
    ]


def test_four_panels_show_training_and_validation():
    figure = run_curves({"FOMAML": [history(1)], "MGAug": [history(2)]})
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "Training loss", "Validation loss", "Training accuracy", "Validation accuracy",
    ]  # fmt: skip
    training, validation, accuracy, _ = figure.axes
    np.testing.assert_allclose(training.lines[1].get_ydata(), [2, 3, 4])
    np.testing.assert_allclose(training.lines[1].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(validation.lines[0].get_xdata(), [1, 3])
    np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [0, 10, 20])


def test_runs_of_one_name_are_averaged_with_their_interval():
    figure = run_curves({"MGAug": [history(1), history(2, epochs=2)], "alone": [history(1)]})
    axes = figure.axes[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["MGAug (mean, 95 % interval over 2 runs, Student's t)", "alone"]
    assert len(axes.collections) == 1  # a single run has no band
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [1.5, 2.5])
    band = axes.collections[0].get_paths()[0].vertices[:, 1]
    half = half_width(0.5, 2)
    assert (band.min(), band.max()) == (pytest.approx(1.5 - half), pytest.approx(2.5 + half))


def test_marks_stand_where_something_began():
    figure = run_curves({"plain": [history(1)], "from 2": [history(1)]}, {"from 2": 2})
    curve, mark = figure.axes[0].lines[1:]
    assert mark.get_xdata()[0] == 2.5
    assert mark.get_color() == curve.get_color()


def test_long_histories_are_averaged_over_neighbors_and_say_so():
    axes = run_curves({"long": [history(0, epochs=500)]}).axes[0]
    x, y = axes.lines[0].get_data()
    assert len(x) == 100
    np.testing.assert_allclose(x[:2], [3, 8])
    np.testing.assert_allclose(y, x - 1)
    assert axes.get_xlabel() == "epoch (means of 5)"


def test_nothing_and_empty_histories_are_refused():
    for empty in ({}, {"a": []}, {"a": [[]]}):
        with pytest.raises(ValueError, match="at least one"):
            run_curves(empty)


def test_regression_has_two_panels_and_a_curve_without_values_is_left_out():
    losses = [{"loss": 1.0, "val_loss": None}, {"loss": 0.5, "val_loss": None}]
    figure = run_curves({"a": [losses], "b": [losses]})
    assert len(figure.axes) == 2
    assert not figure.axes[1].lines
