"""The landscape paper: its figures, and what its recipes make `launch.train` do."""

import math

from launch.papers.paper import IN_TEXT
from launch.papers.registry import PAPERS
from tests.launch.recipe_settings import resolve

PAPER = PAPERS["landscape"]


def test_every_figure_with_data_has_panels():
    assert [figure.number for figure in PAPER.figures] == list(range(1, 13))
    assert [figure.number for figure in PAPER.figures if not figure.panels] == [1]


def test_the_accuracies_of_the_text_are_of_the_runs_of_figure_9():
    cells = PAPER.table(IN_TEXT).cells
    (panel,) = PAPER.figure(9).panels
    assert {cell.row: cell.recipe for cell in cells} == panel.runs
    assert [str(cell.published) for cell in cells] == ["94.05", "95.38"]


def test_full_recipes_are_the_paper_s():
    for recipe in PAPER.recipes:
        full = resolve(recipe)
        assert full["mask"] == "none"
        if full["data"] == "sinusoids":
            assert (full["hidden"], full["backbone"]) == ([40, 40], "mlp")
            assert 2 <= full["shot"] <= 15
            train, test = ([full[f"{part}_{n}"] for n in ("amplitude", "phase")]
                           for part in ("train", "test"))  # fmt: skip
            assert train == [["0.1", "3"], ["0", str(math.pi / 2)]]
            assert test == [["3", "5"], [str(math.pi / 2), str(math.pi)]]
            continue
        omniglot = full["data"] == "omniglot"
        assert full["pooling"] == ("strided" if omniglot else "max")
        assert full["filters"] == (64 if omniglot else 48)
        assert full["inner_learning_rate"] == (0.1 if omniglot else 0.01)
        assert full["inner_steps"] == (1 if "one_step" in recipe.name else 5)
        assert full["epochs"] == 100
        if full["learner"] == "fine_tuning":
            expected = {1: (64, 25), 5: (128, 12)}[full["shot"]]
            assert (full["batch_size"], full["steps_per_epoch"]) == expected
        else:
            tasks = {(True, 1): 16, (True, 5): 8, (False, 1): 4, (False, 5): 2}
            assert full["tasks"] == tasks[omniglot, full["shot"]]
            assert full["steps_per_epoch"] == 500


def test_landscapes_are_measured_after_every_epoch_of_the_small_form():
    assert all(resolve(recipe, "small")["landscape_every"] == 1 for recipe in PAPER.recipes)


def test_figure_10_is_of_the_accuracy_on_training_and_on_test_classes():
    panels = PAPER.figure(10).panels
    assert len(panels) == 6
    assert {panel.analysis for panel in panels} == {"gap"}
    for panel in panels:
        assert list(panel.runs) == ["MAML", "FOMAML"]
        for recipe in panel.runs.values():
            assert resolve(recipe)["gap_episodes"] == 100
            assert resolve(recipe, "small")["gap_episodes"] == 20
