"""The Meta-ticket paper: its tables, and what its recipes make `launch.train` do."""

import collections

from launch.papers.registry import PAPERS
from tests.launch.recipe_settings import resolve

PAPER = PAPERS["meta_ticket"]


def ticket(number, row, column, size="full"):
    cells = PAPER.table(number).cells
    cell = next(c for c in cells if (c.row, c.column) == (row, column))
    return cell, resolve(cell.recipe, size)


def test_tickets_have_the_numbers_that_the_text_speaks_of():
    for number, best in ((1, "+ BOIL"), (2, "Meta-ticket")):
        table = PAPER.table(number)
        assert len(table.cells) == 5 * 6
        column = [cell for cell in table.cells if cell.column == table.columns[-1]]
        assert max(column, key=lambda cell: cell.published.mean).row == best


def test_one_run_serves_all_columns_of_its_training_data():
    for number, runs in ((1, 10), (2, 10)):
        cells = PAPER.table(number).cells
        assert len({cell.recipe for cell in cells}) == runs
        assert sum(cell.elsewhere is None for cell in cells) == runs
        where = {cell.column.split("test-")[1]: cell.elsewhere for cell in cells if cell.elsewhere}
        names = ("vgg_flowers", "aircraft", "cifar_fs") if number == 1 else ("cub", "cars")
        assert set(where.values()) == set(names)


def test_tickets_have_the_budget_of_their_code():
    for recipe in PAPER.recipes:
        found = resolve(recipe)
        constant = recipe.name.startswith("meta_ticket/figure4")
        assert found["epochs"] * found["steps_per_epoch"] == (60_000 if constant else 30_000)
        assert found["tasks"] == (32 if constant else 4)
        assert (found["shot"], found["query"], found["train_query"]) == (5, 5, 5)
        assert (found["mask"], found["inner_steps"]) == ("none", 3 if constant else 1)
        if found["learner"].startswith("meta_ticket") and not constant:
            assert (found["optimizer"], found["learning_rate"], found["momentum"]) == (
                "sgd",
                10,
                0.9,
            )
            assert found["warmup_steps"] == (100 if found["image_size"] == 32 else 1000)


def test_rows_and_columns_of_tickets_are_what_they_say():
    learners = {"MAML": "maml", "ANIL": "anil", "BOIL": "boil", "Meta-ticket": "meta_ticket"}
    learners["+ BOIL"] = "meta_ticket_boil"
    for row, learner in learners.items():
        for number, column, data, backbone, size in (
            (1, "train-CIFAR-FS test-Aircraft", "cifar_fs", "mlp", 32),
            (1, "train-VGG-Flower test-VGG-Flower", "vgg_flowers", "mlp", 32),
            (2, "ResNet-12 test-CUB", "mini_imagenet", "resnet12", 84),
            (2, "WideResNet-28-10 test-miniImageNet", "mini_imagenet", "wide_resnet", 84),
        ):
            _, found = ticket(number, row, column)
            kept = (found["learner"], found["data"], found["backbone"], found["image_size"])
            assert kept == (learner, data, backbone, size)


def test_the_small_form_of_tickets_needs_no_data():
    for recipe in PAPER.recipes:
        small, full = resolve(recipe, "small"), resolve(recipe)
        assert (small["data"], small["image_size"]) == ("glyphs", 28)
        assert small["epochs"] * small["steps_per_epoch"] == 240
        assert (small["warmup_steps"] or 0) < 240
        assert all(small[name] == full[name] for name in ("learner", "backbone", "shot", "way"))


def test_figure_3_has_four_widths_on_each_curve():
    for panel, way in zip(PAPER.figure(3).panels, (5, 20)):
        curves = collections.defaultdict(list)
        for label, recipe in panel.labeled():
            found = resolve(recipe)
            curves[label].append(found["width_factor"] or 1)
            assert (found["way"], found["test_inner_steps"], found["rotations"]) == (way, 3, True)
            assert (found["iterand_every"] is not None) == label.endswith("IteRand")
        assert set(map(tuple, curves.values())) == {(1, 2, 4, 8)}
        assert list(curves) == ["MAML", "Meta-ticket", "Meta-ticket + IteRand"]


def test_runs_of_figure_2_measure_their_task_gradients_after_every_epoch():
    (panel,) = PAPER.figure(2).panels
    assert len(panel.labeled()) == 2 * 3
    for _, recipe in panel.labeled():
        for size in ("full", "small"):
            assert resolve(recipe, size)["gradient_norms_every"] == 1
