"""The Meta-ticket paper: its tables, and what its recipes make `launch.train` do."""

import collections

from launch.papers.paper import IN_TEXT
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
        assert len(table.cells) == len(table.rows) * len(table.columns)
        column = [cell for cell in table.cells if cell.column == table.columns[-1]]
        assert max(column, key=lambda cell: cell.published.mean).row == best


def test_one_run_serves_all_columns_of_its_training_data():
    for number, more in ((1, 3), (2, 0)):
        cells = PAPER.table(number).cells
        runs = {cell.recipe for cell in cells if cell.elsewhere is None}
        elsewhere = {cell.recipe for cell in cells if cell.elsewhere} - runs
        assert (len(runs), len(elsewhere)) == (10, more)
        assert sum(cell.elsewhere is None for cell in cells) == len(runs)
        where = {cell.column.split("test-")[1]: cell.elsewhere for cell in cells if cell.elsewhere}
        names = ("vgg_flowers", "aircraft", "cifar_fs") if number == 1 else ("cub", "cars")
        assert set(where.values()) == set(names)


def test_tickets_have_the_budget_of_their_code():
    for recipe in PAPER.recipes:
        found = resolve(recipe)
        if "random_subnetworks" in recipe.name:
            continue
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


def test_networks_start_and_are_tested_as_in_their_code():
    for recipe in PAPER.recipes:
        for found in (resolve(recipe), resolve(recipe, "small")):
            ticket = found["learner"].startswith("meta_ticket")
            mlp = found["backbone"] == "mlp"
            kernels = "kaiming_normal" if mlp and not ticket else "glorot_uniform"
            assert found["kernel_initializer"] == kernels
            assert found["head_initializer"] == ("glorot_uniform" if mlp else "fan_in_uniform")
            assert found["draw_classifier"] == (mlp or not ticket)
            assert found["keep"] == "last"


def test_the_rate_of_tests_on_other_data_is_that_of_their_configuration():
    for cell in PAPER.table(1).cells:
        baseline, found = cell.row in ("MAML", "ANIL", "BOIL"), resolve(cell.recipe)
        lower = baseline and cell.elsewhere and cell.column.startswith("train-CIFAR-FS")
        assert found["learning_rate"] == ((0.0001 if lower else 0.001) if baseline else 10)
        assert cell.recipe.name.endswith("-elsewhere") == bool(lower)


def test_numbers_of_the_text_have_recipes():
    trained, drawn = PAPER.table(IN_TEXT).cells
    assert [str(cell.published) for cell in (trained, drawn)] == ["71.59 ± 1.51", "33.00"]
    (panel,) = PAPER.figure(4).panels
    assert trained.recipe in panel.runs.values()
    found, before = resolve(drawn.recipe), resolve(trained.recipe)
    changed = {name: found[name] for name in found if found[name] != before[name]}
    one_step_of_rate_0 = {"learning_rate": 0.0, "epochs": 1, "steps_per_epoch": 1}
    assert changed == {"initial_sparsity": 0.5, **one_step_of_rate_0}


def test_columns_whose_recipes_are_not_the_paper_s_say_so():
    found = {cell.column: " ".join(cell.departures) for cell in PAPER.table(2).cells}
    assert not any(text for label, text in found.items() if label.startswith("ResNet-12"))
    assert all("stride" in text for label, text in found.items() if label.startswith("Wide"))
    assert not any(cell.departures for cell in PAPER.table(1).cells)


def test_birds_are_cropped_and_cars_cut_out_by_their_boxes_as_in_the_code():
    fits = {"cub": "center_crop", "cars": "bounding_box"}
    for cell in PAPER.table(2).cells:
        expected = fits.get(cell.elsewhere)
        assert cell.options == (() if expected is None else (f"--image_fit={expected}",))
        assert resolve(cell.recipe)["image_fit"] == "squash"  # of miniImageNet, which is square
    assert not any(cell.options for cell in PAPER.table(1).cells)


def test_the_small_form_of_tickets_needs_no_data():
    for recipe in PAPER.recipes:
        small, full = resolve(recipe, "small"), resolve(recipe)
        steps = 1 if "random_subnetworks" in recipe.name else 240
        assert (small["data"], small["image_size"]) == ("glyphs", 28)
        assert small["epochs"] * small["steps_per_epoch"] == steps
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
