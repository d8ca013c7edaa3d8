import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from tests.helpers.evaluation_reports import report
from tests.helpers.full_disk import limited
from tfmgaug.batch_statistics import MODES
from tfmgaug.drawing.style import COLORS
from tfmgaug.episode import Episode
from tfmgaug.evaluation import half_width
from tfmgaug.figures import accuracy_per_step, episode_grid, save, training_curves


def episode(channels=1, way=3, shot=1, query=10):
    """Images whose brightness is ten times their label, queries one brighter."""
    support_y, query_y = (np.repeat(np.arange(way), n) for n in (shot, query))

    def images(labels, plus):
        ones = np.ones([len(labels), 6, 6, channels])
        return (ones * (10 * labels + plus)[:, None, None, None]).astype(np.uint8)

    return Episode(images(support_y, 0), support_y, images(query_y, 1), query_y, np.int64(0))


def labels(figure):
    return [text.get_text() for axes in figure.axes for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_puts_every_image_into_the_row_of_its_class(channels):
    support, query = (axes.images[0].get_array() for axes in episode_grid(episode(channels)).axes)
    gap, row = 1, 7
    for label in range(3):
        assert (support[gap + label * row, gap] == 10 * label).all()
        assert (query[gap + label * row, gap + 7 * row] == 10 * label + 1).all()
    assert query.shape[1] == 8 * row + gap


def test_grid_sorts_shuffled_images_and_names_classes():
    ordered = episode(shot=2)
    order = np.random.default_rng(0).permutation(6)
    shuffled = ordered._replace(
        support_x=ordered.support_x[order], support_y=ordered.support_y[order]
    )
    grids = [episode_grid(each, ["a", "b", "c"]).axes[0] for each in (ordered, shuffled)]
    np.testing.assert_array_equal(*(grid.images[0].get_array() for grid in grids))
    assert [text.get_text() for text in grids[0].get_yticklabels()] == ["a", "b", "c"]


def test_grid_refuses_what_is_no_image():
    regression = episode()._replace(support_x=np.zeros([5, 1]))
    with pytest.raises(ValueError, match=r"\(5, 1\)"):
        episode_grid(regression)


def test_steps_show_means_intervals_floor_and_chance():
    learner = report({"support": [[0.2, 0.5], [0.2, 0.7]]})
    figure = accuracy_per_step(learner, report({"none": [[0.4], [0.4]]}, name="pixel floor"))
    axes = figure.axes[0]
    means, bars = axes.containers[0][0], axes.containers[0][2][0]
    half = 100 * half_width(0.1, 2)
    np.testing.assert_allclose(means.get_ydata(), [20, 60], rtol=1e-5)
    np.testing.assert_allclose(bars.get_segments()[1][:, 1], [60 - half, 60 + half], rtol=1e-5)
    assert labels(figure) == ["MAML, support", "pixel floor", "chance"]
    assert "accuracy (%)" in axes.get_ylabel()
    levels = [line.get_ydata()[0] for line in axes.lines if line.get_label() == "pixel floor"]
    np.testing.assert_allclose(levels, [40], rtol=1e-5)


def test_steps_of_a_learner_without_inner_steps_are_a_level_beside_others():
    maml = report({"support": [[0.2, 0.5], [0.2, 0.7]]})
    proto = report({"support": [[0.8], [0.9]]}, name="ProtoNet")
    assert "ProtoNet, support" in labels(accuracy_per_step(maml, proto))
    alone = accuracy_per_step(proto).axes[0]
    assert alone.containers[0][0].get_ydata()[0] == pytest.approx(85)


@pytest.mark.parametrize("mode", MODES)
def test_steps_are_drawn_in_every_mode_of_statistics(mode):
    assert f"MAML, {mode}" in labels(accuracy_per_step(report({mode: [[0.2, 0.5], [0.2, 0.7]]})))


def test_steps_refuse_nothing_and_mixed_metrics():
    with pytest.raises(ValueError, match="at least one"):
        accuracy_per_step()
    with pytest.raises(ValueError, match="one metric"):
        accuracy_per_step(report({"support": [[1.0]] * 2}), report(loss={"support": [[1.0]] * 2}))


def test_curves_of_rows_and_of_a_keras_history_agree():
    rows = [{"epoch": k, "loss": 2.0 - k, "val_loss": 2.5 - k, "accuracy": 0.1 * k} for k in (0, 1)]
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    for history in (rows, columns):
        loss, accuracy = training_curves(history).axes
        np.testing.assert_allclose(loss.lines[0].get_ydata(), [2, 1])
        np.testing.assert_allclose(loss.lines[1].get_ydata(), [2.5, 1.5])
        np.testing.assert_allclose(accuracy.lines[0].get_ydata(), [0, 10])
        np.testing.assert_allclose(loss.lines[0].get_xdata(), [1, 2])


def test_curves_leave_gaps_out_and_need_no_accuracy():
    rows = [{"loss": 1.0, "val_loss": 3.0}, {"loss": None}, {"loss": 0.5, "val_loss": 2.0}]
    (axes,) = training_curves(rows).axes
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [1, 3])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [3, 2])
    with pytest.raises(ValueError, match="at least one epoch"):
        training_curves([])


def test_figures_are_written_whole(tmp_path):
    save(episode_grid(episode()), tmp_path / "new" / "grid.png")
    assert (tmp_path / "new" / "grid.png").read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["grid.png"]


def test_the_users_style_is_left_alone():
    with matplotlib.rc_context({"font.size": 7, "axes.spines.top": True}):
        episode_grid(episode())
        assert matplotlib.rcParams["font.size"] == 7
        assert matplotlib.rcParams["axes.spines.top"]


def test_neighboring_colors_differ_in_lightness_too():
    lightness = [np.dot(to_rgb(color), [0.2126, 0.7152, 0.0722]) for color in COLORS]
    assert abs(lightness[0] - lightness[1]) > 0.05
    assert len(set(np.round(lightness, 3))) == len(COLORS)


@pytest.mark.parametrize("name", ["a.png", "a.svg", "a"])
def test_a_figure_is_whole_or_not_written(name, tmp_path):
    figure = training_curves([{"epoch": 0, "loss": 1.0, "val_loss": 2.0}])
    save(figure, tmp_path / name)
    before = (tmp_path / name).read_bytes()
    assert before.startswith(b"<?xml" if name.endswith("svg") else b"\x89PNG")
    words = r"a\S* cannot be written: File too large \(.* kB needed, .* free\)"
    with limited(500), pytest.raises(OSError, match=words):
        save(figure, tmp_path / name)
    assert (tmp_path / name).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [name]
