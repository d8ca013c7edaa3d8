import numpy as np
import pytest

from tests.helpers.analysis_reports import report
from tfmgaug.evaluation import half_width
from tfmgaug.figures import hat_graph

# Two tasks that differ by 0.2, a network and a sub-network, before adaptation and after a step.
ACCURACY = np.array([[[0.2, 0.7], [0.1, 0.8]], [[0.4, 0.9], [0.1, 1.0]]])


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_bars_begin_at_the_full_network_and_end_at_the_subnetwork():
    axes = hat_graph(report(ACCURACY)).axes[0]
    before, after = axes.patches
    assert (before.get_y(), before.get_height()) == (pytest.approx(30), pytest.approx(-20))
    assert (after.get_y(), after.get_height()) == (pytest.approx(80), pytest.approx(10))
    (full,) = [line for line in axes.lines if line.get_marker() == "*"]
    np.testing.assert_allclose(full.get_ydata(), [30, 80])
    assert full.get_linestyle() == "--"


def test_whiskers_are_the_intervals_of_the_paired_difference():
    axes = hat_graph(report(ACCURACY)).axes[0]
    (bars,) = [bars for bars in axes.containers if hasattr(bars, "errorbar")]
    before, after = bars.errorbar[2][0].get_segments()
    half = 100 * half_width(0.1, 2)
    np.testing.assert_allclose(before[:, 1], [10 - half, 10 + half])
    np.testing.assert_allclose(after[:, 1], [90, 90])


def test_panels_are_lettered_and_share_one_legend():
    shuffled = report(ACCURACY, reads_query_labels=False)
    fixed = report(ACCURACY, mutually_exclusive=False, name="NME")
    figure = hat_graph(shuffled, fixed)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["(a) FOMAML", "(b) NME"]
    notes = [" ".join(text.get_text() for text in axes.texts) for axes in figure.axes]
    assert "non-mutually-exclusive" in notes[1]
    assert "query labels" in notes[1]
    assert "query labels" not in notes[0]
    assert legend(figure) == ["full network", "2 % pruned", "chance"]


def test_rates_that_prune_nothing_are_named():
    idle = report(ACCURACY)
    network = idle.networks[1]._replace(pruned=0.0)
    figure = hat_graph(report(ACCURACY, networks=(idle.networks[0], network)))
    assert "up to 2 % prunes nothing" in figure.axes[0].texts[0].get_text()


def test_losses_have_no_chance_level():
    figure = hat_graph(report(None, loss=ACCURACY))
    assert figure.axes[0].patches[0].get_height() == pytest.approx(-0.2)
    assert figure.axes[0].get_ylabel() == "query loss"
    assert "chance" not in legend(figure)


def test_different_rates_and_metrics_and_nothing_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        hat_graph()
    with pytest.raises(ValueError, match="one metric"):
        hat_graph(report(ACCURACY), report(None, loss=ACCURACY))
    with pytest.raises(ValueError, match="same pruning rates"):
        hat_graph(report(ACCURACY), report(ACCURACY, rates=[0.1]))
