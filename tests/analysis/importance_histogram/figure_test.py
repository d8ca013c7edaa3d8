import numpy as np
import pytest

from tfmgaug.analysis import Importance
from tfmgaug.figures import importance_histogram


def result(rate=0.25):
    """Ten weights in two tasks alike: two at zero, four low, two between, two high."""
    counts = np.zeros([2, 1, 3, 4], int)
    counts[:, 0, 0, 3] = 2
    counts[:, 0, 1, 2] = 2
    counts[:, 0, 2, 1] = 4
    counts[:, 0, 2, 0] = 2
    totals = np.tile(np.array([6.0, 3.0, 1.0]), [2, 1, 1])
    edges = np.array([1e-3, 1e-2, 1e-1, 1.0])
    return Importance(
        "FOMAML", rate, ("conv4",), (10,), edges, counts, totals, "toy/test", 5, 1, 15, 0, True, "f"
    )


def test_bars_are_stacked_shares_of_the_layers_weights():
    axes = importance_histogram(result()).axes[0]
    least, between, pruned = (list(bars) for bars in axes.containers[:3])
    np.testing.assert_allclose([bar.get_height() for bar in pruned], [0, 0, 20])
    np.testing.assert_allclose([bar.get_height() for bar in between], [0, 20, 0])
    np.testing.assert_allclose([bar.get_height() for bar in least], [40, 0, 0])
    np.testing.assert_allclose([bar.get_y() for bar in pruned], [40, 20, 0])
    assert axes.get_xscale() == "log"


def test_the_share_carried_and_what_is_not_shown_are_told():
    figure = importance_histogram(result(), layer="conv4")
    note = figure.axes[0].texts[0].get_text()
    assert "highest 25 % carry 60.0 ± 0.0 % of the MMCA" in note
    assert "20 % of the weights are off the left edge" in note
    assert "conv4 (10 weights)" in figure.axes[0].get_title(loc="left")
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any("catfish" in label for label in labels)


def test_other_layers_and_rates_are_refused():
    with pytest.raises(ValueError, match="conv4"):
        importance_histogram(result(), layer="head")
    with pytest.raises(ValueError, match="one rate"):
        importance_histogram(result(), result(0.5))
