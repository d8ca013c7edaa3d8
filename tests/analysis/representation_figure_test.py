import numpy as np
import pytest

from tests.helpers.analysis_reports import layer_report
from tfmgaug.evaluation import half_width
from tfmgaug.figures import representation_profile

VALUES = {"cka": [[1.0, 0.49], [1.0, 0.51]]}


def test_every_report_is_a_line_over_stages_with_intervals_over_tasks():
    figure = representation_profile(layer_report(VALUES), layer_report(VALUES, name="BOIL"))
    (axes,) = figure.axes
    first, _, (bars,) = axes.containers[0]
    np.testing.assert_allclose(first.get_xydata()[:, 1], [1, 0.5])
    spread = np.ptp([segment[:, 1] for segment in bars.get_segments()], axis=1)
    np.testing.assert_allclose(spread, [0, 2 * half_width(0.01, 2)], atol=1e-12)
    second = axes.containers[1][0]
    assert (second.get_xdata() != first.get_xdata()).all()
    assert second.get_linestyle() != first.get_linestyle()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["stage1", "stage2"]
    assert axes.get_ylim()[0] == 0


def test_reports_of_one_name_look_alike_and_stand_in_the_legend_once():
    figure = representation_profile(layer_report(VALUES), layer_report(VALUES))
    first, second = (container[0] for container in figure.axes[0].containers)
    assert first.get_color() == second.get_color()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["MAML"]


@pytest.mark.parametrize("layers", [("stage1", "stage2"), ("dense1_kernel", "dense2_kernel")])
def test_names_that_would_overlap_are_turned(layers):
    (axes,) = representation_profile(layer_report(VALUES, layers=layers)).axes
    turned = [text.get_rotation() > 0 for text in axes.get_xticklabels()]
    assert turned == [layers[0] == "dense1_kernel"] * 2


def test_other_stages_are_refused():
    with pytest.raises(ValueError, match="the same layers"):
        representation_profile(layer_report(VALUES), layer_report(VALUES, layers=("a", "b")))
