"""The MGAug paper: its tables, and what its recipes make `launch.train` do."""

import collections

import numpy as np
import pytest

from launch import settings, tasks
from launch.construction.learner import build_learner
from launch.papers.registry import PAPERS
from tests.launch.recipe_settings import laid, resolve
from tfmgaug import data

PAPER = PAPERS["mgaug"]
CELLS = [cell for table in PAPER.tables for cell in table.cells]
PANELS = [panel for figure in PAPER.figures for panel in figure.panels]
ROWS = [cell.recipe for cell in CELLS if cell.column == "CUB 5-way 1-shot Conv-4"]


def test_every_cell_of_both_tables_is_there():
    assert [len(table.cells) for table in PAPER.tables] == [7 * 8, 9 * 8]
    assert [figure.number for figure in PAPER.figures] == list(range(1, 8))


def test_the_numbers_say_what_the_text_says_of_them():
    def mean(number, row, column):
        cells = PAPER.table(number).cells
        return next(c.published.mean for c in cells if (c.row, c.column) == (row, column))

    for name, gain in (("CUB", 6.96), ("miniImageNet", 6.67)):  # Section 5.2
        column = f"{name} 5-way 1-shot ResNet-10"
        better = mean(1, "+ MGAug-CP", column) - mean(1, "+ Aug", column)
        assert better == pytest.approx(gain, abs=1e-9)


def test_the_best_of_each_column_is_the_one_in_bold():
    best = collections.defaultdict(list)
    for table in PAPER.tables:
        for column in table.columns:
            cells = [cell for cell in table.cells if cell.column == column]
            best[table.number].append(max(cells, key=lambda cell: cell.published.mean).row)
    metamix = [column for column, row in zip(PAPER.table(2).columns, best[2]) if "Meta" in row]
    assert set(best[1]) == {"+ MGAug-CP"}
    assert metamix == ["miniImageNet 5-way 1-shot Conv-4", "miniImageNet 5-way 5-shot Conv-4"]
    assert set(best[2]) == {"+ MGAug-CP", "+ MetaMix"}


def test_every_recipe_has_the_budget_of_its_table():
    epochs = {("protonet", 1): 1600, ("protonet", 5): 800, ("fomaml", 1): 4800, ("fomaml", 5): 2400}
    for cell in CELLS:
        found = resolve(cell.recipe)
        steps = found["epochs"] * found["steps_per_epoch"]
        assert steps * found["tasks"] == 100 * epochs[found["learner"], found["shot"]]
        assert found["steps_per_epoch"] * found["tasks"] == 50 * 100  # validated every 50 epochs
        assert (found["inner_steps"], found["inner_learning_rate"]) == (5, 0.01) or (
            found["learner"] == "protonet"
        )


def test_every_recipe_is_what_its_column_says():
    for cell in CELLS:
        found = resolve(cell.recipe)
        name, way, shot, network = cell.column.split()
        assert found["data"] == {"CUB": "cub", "miniImageNet": "mini_imagenet"}[name]
        assert (f"{found['way']}-way", f"{found['shot']}-shot") == (way, shot)
        assert found["backbone"] == network.replace("Conv-", "conv").replace("ResNet-", "resnet")
        assert found["image_size"] == (84 if network == "Conv-4" else 224)
        assert found["augment_images"] == cell.row.startswith("+")
        assert found["image_crop"] == ("photo" if found["augment_images"] else "square")
        assert (found["mask"] != "none") == ("MGAug" in cell.row)


def test_recipes_of_one_row_differ_in_nothing_but_their_column():
    columns = {"data", "shot", "image_size", "backbone", "epochs"}
    for table in PAPER.tables:
        for row in table.rows:
            found = [resolve(c.recipe) for c in table.cells if c.row == row]
            varying = {name for name in found[0] if any(f[name] != found[0][name] for f in found)}
            assert varying == columns | ({"resolutions"} if "MGAug" in row else set())


def test_the_small_form_is_small():
    for recipe in PAPER.recipes:
        small = resolve(recipe, "small")
        assert (small["filters"], small["image_size"]) == (8, 28)
        assert small["epochs"] * small["steps_per_epoch"] == 240
        kept = ("tasks", "augment_images")
        assert all(small[name] == resolve(recipe)[name] for name in kept)


def test_figure_6_starts_at_the_paper_s_epochs_in_both_forms():
    panel = next(panel for panel in PANELS if panel.name == "figure6")
    recipes = [recipe for label, recipe in panel.runs.items() if "from" in label]
    full, small = ([resolve(one, size) for one in recipes] for size in ("full", "small"))
    assert [one["mgaug_from_epoch"] for one in full] == [0, 400, 800, 1200]
    assert [one["epochs"] for one in full] == [1600] * 4
    assert {(one["steps_per_epoch"], one["gap_episodes"]) for one in full} == {(100, 100)}
    assert {one["gap_episodes"] for one in small} == {40}
    shares = [one["mgaug_from_epoch"] / one["epochs"] for one in small]
    assert shares == [0, 0.25, 0.5, 0.75]


def test_at_every_rate_of_figure_4a_a_channel_of_the_narrowest_layer_goes():
    panel = next(panel for panel in PANELS if panel.name == "figure4_a")
    (rates,) = [text.partition("=")[2] for text in panel.options if text.startswith("--rates")]
    (full,) = [resolve(recipe) for recipe in panel.runs.values()]
    narrowest = int(full["filters"]) if not isinstance(full["filters"], list) else 64
    assert full["mask"] == "width"
    assert all(int(float(rate) * narrowest) >= 1 for rate in rates.split(","))


def test_the_text_s_random_scaling_is_of_all_runs_and_not_of_sub_networks():
    assert len(PAPER.others) == (6 + 9) * 8
    for recipe in PAPER.others:
        full, small = resolve(recipe), resolve(recipe, "small")
        sizes = {"conv4": ["84", "64", "48"], "resnet10": ["224", "192", "160", "140"]}
        assert list(map(str, full["train_resolutions"])) == sizes[full["backbone"]]
        assert full["resolutions"] is None
        assert list(map(str, small["train_resolutions"])) == ["28", "20", "16"]


def test_the_intervals_of_table_2_are_of_batches_of_four_tasks():
    assert "600 batches of 4 tasks" in PAPER.table(2).remark
    assert "batches" not in PAPER.table(1).remark


@pytest.fixture
def built(monkeypatch):
    """What is built for each row of a column, of a small network."""
    images = np.arange(5 * 16 * 18 * 18 * 3).reshape([5 * 16, 18, 18, 3]).astype("uint8")
    classes = data.ImageClasses(images, np.arange(6) * 16, "abcde")
    monkeypatch.setattr(
        tasks.data, "load", lambda *_, **options: data.Splits(classes, classes, classes)
    )

    def build(recipe):
        small = ["--filters=2", "--image_size=16"]
        small += ["--resolutions=16"] if "resolutions" in recipe.full else []
        with laid(recipe.full, *small):
            experiment = settings.experiment(settings.as_dictionary())
        return build_learner(experiment, tasks.build(experiment))

    return {recipe.name.rpartition("/")[2]: build(recipe) for recipe in ROWS}


def test_every_row_builds_the_learner_it_names(built):
    for row, learner in built.items():
        assert type(learner).__name__.lower() == row.partition("+")[0]
    assert built["protonet+cp"].augmentation.mask.rates == (0.01, 0.03)
    assert built["fomaml+cp"].augmentation.mask.rates == (0.001, 0.02)
    named = {row: [type(one).__name__ for one in x.regularizers] for row, x in built.items()}
    assert {row: classes for row, classes in named.items() if classes} == {
        "fomaml+graddrop": ["GradDrop"],
        "protonet+maxup": ["MaxUp"],
        "fomaml+metamix": ["MetaMix"],
        "fomaml+mr": ["MRWeights"],
        "fomaml+taml": ["EntropyTAML"],
    }
