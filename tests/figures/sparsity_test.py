import numpy as np
import pytest

from tfmgaug.evaluation import half_width
from tfmgaug.figures import sparsity_curves


def history(first, layers=("dense1", "dense2")):
    return [
        {"epoch": k, **{f"mask_sparsity/{layer}": first + 0.1 * k for layer in layers}}
        for k in range(3)
    ]


def test_every_name_is_a_panel_and_every_layer_a_line_in_percent():
    figure = sparsity_curves({"a": [history(0.2)], "b": [history(0.0), history(0.2)]})
    alone, averaged = figure.axes
    np.testing.assert_allclose(alone.lines[0].get_xydata(), [[1, 20], [2, 30], [3, 40]])
    np.testing.assert_allclose(averaged.lines[1].get_ydata(), [10, 20, 30])
    half = 100 * half_width(0.1, 2)
    band = averaged.collections[0].get_paths()[0].vertices[:, 1]
    assert (band.min(), band.max()) == (pytest.approx(10 - half), pytest.approx(30 + half))
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["dense1", "dense2"]
    assert not alone.collections
    assert "95 % interval over 2 runs, Student's t" in averaged.texts[0].get_text()


def test_the_legend_of_a_deep_network_names_some_of_its_layers():
    figure = sparsity_curves({"deep": [history(0.2, [f"conv{k}" for k in range(28)])]})
    assert len(figure.axes[0].lines) == 28
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [f"conv{k}" for k in range(0, 28, 2)]


def test_runs_without_sparsity_or_of_other_layers_are_refused():
    for runs in ([[{"epoch": 0, "loss": 1.0}]], [history(0), history(0, ("conv1",))], []):
        with pytest.raises(ValueError, match="one backbone"):
            sparsity_curves({"MAML": runs})
    with pytest.raises(ValueError, match="at least one name"):
        sparsity_curves({})
