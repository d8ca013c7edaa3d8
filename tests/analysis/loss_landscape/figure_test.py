import numpy as np
import pytest

from tfmgaug.analysis import pearson, spearman
from tfmgaug.analysis.loss_landscape.figure import points
from tfmgaug.figures import landscape_correlation, landscape_curves, save

METRICS = ("query_accuracy", "query_loss", "curvature", "support_loss", "trajectory_norm")
METRICS += ("trajectory_coherence", "gradient_coherence", "gradient_cosine")


def history(epochs=12, seed=0, slope=1.0, without=()):
    draws, rows = np.random.default_rng(seed), []
    for epoch in range(epochs):
        progress = 1 - np.exp(-epoch / 4)
        row = {"epoch": epoch}
        for metric in set(METRICS) - set(without):
            value = 0.3 + slope * 0.5 * progress + 0.03 * draws.normal()
            row |= {f"landscape/{metric}": value, f"landscape/{metric}_interval": 0.05}
        rows.append(row)
    return rows


def test_there_is_a_panel_for_each_metric_and_a_curve_for_each_name(tmp_path):
    figure = landscape_curves({"MAML": [history()], "FOMAML": [history(seed=n) for n in (1, 2)]})
    drawn = [axes for axes in figure.axes if axes.lines]
    assert len(drawn) == 7
    rows = history()
    np.testing.assert_allclose(
        drawn[0].lines[0].get_ydata(), [100 * row["landscape/query_accuracy"] for row in rows]
    )
    band = drawn[1].collections[0].get_paths()[0].vertices[:, 1]
    curvatures = [row["landscape/curvature"] for row in rows]
    np.testing.assert_allclose(
        [band.min(), band.max()], [min(curvatures) - 0.05, max(curvatures) + 0.05]
    )
    save(figure, tmp_path / "curves.png")


def test_each_panel_says_how_a_property_goes_with_accuracy_for_each_name(tmp_path):
    histories = {"MAML": [history()], "FOMAML": [history(seed=5, slope=-0.5)]}
    figure = landscape_correlation(histories)
    texts = [text.get_text() for text in figure.axes[0].texts]
    for glyph, runs in zip("●■", histories.values()):
        x, y = points(runs, "curvature", METRICS[0])
        assert len(x) == 12
        coefficients = f"r = {pearson(x, y)}   ρ = {spearman(x, y)}"
        assert texts[texts.index(glyph) + 1] == coefficients
    assert "of the points of each name" in figure.get_suptitle()
    save(figure, tmp_path / "correlation.png")


def test_points_of_all_names_are_pooled_where_it_is_asked_for_and_said():
    histories = {"k = 2": [history(epochs=2)], "k = 5": [history(epochs=3, seed=5)]}
    figure = landscape_correlation(histories, pooled=True)
    x, y = points([run for runs in histories.values() for run in runs], "curvature", METRICS[0])
    texts = [text.get_text() for text in figure.axes[0].texts if text.get_text()]
    assert texts == [f"r = {pearson(x, y)}   ρ = {spearman(x, y)}"]
    assert "of all points pooled" in figure.get_suptitle()


def test_regressions_have_a_loss_and_unmeasured_epochs_are_passed_over():
    rows = history(without=("query_accuracy", "curvature"))
    rows[3] = {"epoch": 3}
    figure = landscape_correlation({"k = 5": [rows]})
    drawn = [axes for axes in figure.axes if axes.lines]
    assert len(drawn) == 5
    assert drawn[0].get_ylabel() == "− query loss"
    y = drawn[0].lines[0].get_ydata()
    assert len(y) == 11
    assert max(y) < 0
    assert len(landscape_curves({"k = 5": [rows]}).axes[0].lines[0].get_xdata()) == 11


def test_histories_without_measurements_are_refused():
    with pytest.raises(ValueError, match="--landscape_every"):
        landscape_curves({"MAML": [[{"epoch": 0, "loss": 1.0}]]})
    with pytest.raises(ValueError, match="at least one. Received: \\[\\]"):
        landscape_correlation({})
