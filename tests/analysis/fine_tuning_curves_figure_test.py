import numpy as np
import pytest

from tests.helpers.analysis_reports import report
from tfmgaug.evaluation import half_width
from tfmgaug.figures import fine_tuning_curves

ACCURACY = np.array([[[0.2, 0.7], [0.1, 0.5], [0.2, 0.3]], [[0.4, 0.9], [0.3, 0.7], [0.2, 0.5]]])


def test_every_network_has_a_curve_and_a_band_of_its_interval():
    figure = fine_tuning_curves(report(ACCURACY, others=["random initialization"]))
    axes = figure.axes[0]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["full network", "2 % pruned", "random initialization", "chance"]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [20, 60])
    half = 100 * half_width(0.1, 2)
    band = axes.collections[1].get_paths()[0].vertices
    np.testing.assert_allclose(
        sorted({*band[band[:, 0] == 1][:, 1].round(6)}), [60 - half, 60 + half], rtol=1e-5
    )
    looks = {(line.get_color(), line.get_marker()) for line in axes.lines[:3]}
    assert len(looks) == 3


def test_different_networks_and_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        fine_tuning_curves()
    with pytest.raises(ValueError, match="same networks"):
        fine_tuning_curves(report(ACCURACY[:, :2]), report(ACCURACY, others=["other"]))
