"""The tables and figures of papers: numbers, recipes, what is run, and what is said about it."""

import collections
import json
import pathlib
import subprocess
import sys

import pytest

from launch import progress
from launch.reproduction import (
    composition,
    cost,
    drawing,
    elsewhere,
    outcome,
    selection,
    tables,
    training,
)
from launch.reproduction.paper import Recipe, read_table
from launch.reproduction.papers import PAPERS
from launch.reproduction.runs import BEGUN, FINISHED, MISSING, Plan
from tests.full_disk import limited

ROOT = pathlib.Path(__file__).parents[2]
MGAUG = PAPERS["mgaug"]
CELLS = [cell for table in MGAUG.tables for cell in table.cells]
PANELS = [panel for figure in MGAUG.figures for panel in figure.panels]
TICKET = PAPERS["meta_ticket"]
RECIPES, TICKETS = set(MGAUG.recipes), set(TICKET.recipes)
ROWS = [cell.recipe for cell in CELLS if cell.column == "CUB 5-way 1-shot Conv-4"]

# What launch.train makes of recipes, asked in a process that has no other flags: those of all
# recipes in both sizes, and the learners of some, in small.
ASK = """
import json, sys
import numpy as np
from absl import flags
from launch import settings, tasks
from launch.construction.learner import build_learner
from launch.reproduction import composition
from launch.reproduction.paper import Recipe
from tfmgaug import data

images = np.arange(5 * 16 * 18 * 18 * 3).reshape([5 * 16, 18, 18, 3]).astype("uint8")
classes = data.ImageClasses(images, np.arange(6) * 16, "abcde")
tasks.data.load = lambda *_, **options: data.Splits(classes, classes, classes)

def build(recipe):
    small = ["--filters=2", "--image_size=16"]
    small += ["--resolutions=16"] if any("resolutions" in name for name in recipe.files) else []
    values = composition.resolve(composition.arguments(recipe, "full", small))
    experiment = settings.experiment(values)
    learner = build_learner(experiment, tasks.build(experiment))
    mgaug = learner.augmentation
    return {
        "learner": type(learner).__name__,
        "mask": mgaug and [type(mgaug.mask).__name__, *mgaug.mask.rates],
        "regularizers": [type(one).__name__ for one in learner.regularizers],
    }

settings.define()
flags.FLAGS(["test"])
recipes, rows = ([Recipe(*map(tuple, one)) for one in asked] for asked in json.load(sys.stdin))
found = [
    {size: composition.resolve(composition.arguments(one, size)) for size in composition.SIZES}
    for one in recipes
]
json.dump([found, list(map(build, rows))], sys.stdout)
"""


@pytest.fixture(scope="module")
def answers():
    order = sorted(RECIPES | TICKETS)
    process = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        input=json.dumps([order, ROWS]),
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert process.returncode == 0, process.stderr
    found, built = json.loads(process.stdout)
    return dict(zip(order, found)), dict(zip(ROWS, built))


@pytest.fixture(scope="module")
def resolved(answers):
    return answers[0]


def launch(*flags):
    process = subprocess.run(
        [sys.executable, "-m", "launch.reproduce", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return process.returncode, process.stdout, process.stderr


# The papers' numbers


def test_every_cell_of_both_tables_is_there():
    assert [len(table.cells) for table in MGAUG.tables] == [7 * 8, 9 * 8]
    assert [figure.number for figure in MGAUG.figures] == list(range(1, 8))


def test_the_numbers_say_what_the_text_says_of_them():
    def mean(number, row, column):
        cells = MGAUG.table(number).cells
        return next(c.published.mean for c in cells if (c.row, c.column) == (row, column))

    for data, gain in (("CUB", 6.96), ("miniImageNet", 6.67)):  # Section 5.2
        column = f"{data} 5-way 1-shot ResNet-10"
        better = mean(1, "+ MGAug-CP", column) - mean(1, "+ Aug", column)
        assert better == pytest.approx(gain, abs=1e-9)


def test_the_best_of_each_column_is_the_one_in_bold():
    best = collections.defaultdict(list)
    for table in MGAUG.tables:
        for column in table.columns:
            cells = [cell for cell in table.cells if cell.column == column]
            best[table.number].append(max(cells, key=lambda cell: cell.published.mean).row)
    metamix = [column for column, row in zip(MGAUG.table(2).columns, best[2]) if "Meta" in row]
    assert set(best[1]) == {"+ MGAug-CP"}
    assert metamix == ["miniImageNet 5-way 1-shot Conv-4", "miniImageNet 5-way 5-shot Conv-4"]
    assert set(best[2]) == {"+ MGAug-CP", "+ MetaMix"}


def test_a_table_that_the_paper_has_not_is_refused():
    with pytest.raises(ValueError, match="must be one of 1, 2. Received: 3"):
        MGAUG.table(3)


def test_a_table_with_a_row_in_another_place_is_refused():
    with pytest.raises(ValueError, match="Expected rows"):
        read_table(1, "", "", "b 1±1\na 2±1", {"a": (), "b": ()}, {"column": "family"})


# Recipes


def test_every_recipe_is_there_and_none_is_idle():
    recipes = {recipe for paper in PAPERS.values() for recipe in paper.recipes}
    used = {name for recipe in recipes for name in (*recipe.files, *recipe.small)}
    assert used == {path.stem for path in composition.RECIPES.glob("*.flags")}


def test_every_recipe_has_the_budget_of_its_table(resolved):
    epochs = {("protonet", 1): 1600, ("protonet", 5): 800, ("fomaml", 1): 4800, ("fomaml", 5): 2400}
    for cell in CELLS:
        found = resolved[cell.recipe]["full"]
        steps = found["epochs"] * found["steps_per_epoch"]
        assert steps * found["tasks"] == 100 * epochs[found["learner"], found["shot"]]
        assert found["steps_per_epoch"] * found["tasks"] == 50 * 100  # validated every 50 epochs
        assert (found["inner_steps"], found["inner_learning_rate"]) == (5, 0.01) or (
            found["learner"] == "protonet"
        )


def test_every_recipe_is_what_its_column_says(resolved):
    for cell in CELLS:
        found = resolved[cell.recipe]["full"]
        data, way, shot, network = cell.column.split()
        assert found["data"] == {"CUB": "cub", "miniImageNet": "mini_imagenet"}[data]
        assert (f"{found['way']}-way", f"{found['shot']}-shot") == (way, shot)
        assert found["backbone"] == network.replace("Conv-", "conv").replace("ResNet-", "resnet")
        assert found["image_size"] == (84 if network == "Conv-4" else 224)
        assert found["augment_images"] == cell.row.startswith("+")
        assert (found["mask"] != "none") == ("MGAug" in cell.row)


def test_recipes_of_one_row_differ_in_nothing_but_their_column(resolved):
    columns = {"data", "shot", "image_size", "backbone", "epochs"}
    for table in MGAUG.tables:
        for row in table.rows:
            found = [resolved[c.recipe]["full"] for c in table.cells if c.row == row]
            varying = {name for name in found[0] if any(f[name] != found[0][name] for f in found)}
            assert varying == columns | ({"resolutions"} if "MGAug" in row else set())


def test_the_small_form_needs_no_data_and_is_small(resolved):
    for recipe in RECIPES:
        found = resolved[recipe]["small"]
        assert (found["data"], found["filters"], found["image_size"]) == ("glyphs", 8, 28)
        assert found["epochs"] * found["steps_per_epoch"] == 240
        kept = ("learner", "backbone", "shot", "tasks", "mask", "augment_images", "regularizers")
        assert all(found[name] == resolved[recipe]["full"][name] for name in kept)


def test_figure_6_starts_at_the_paper_s_epochs_in_both_forms(resolved):
    panel = next(panel for panel in PANELS if panel.name == "figure6")
    found = [resolved[recipe] for label, recipe in panel.runs.items() if "from" in label]
    assert [50 * one["full"]["mgaug_from_epoch"] for one in found] == [0, 400, 800, 1200]
    assert [50 * one["full"]["epochs"] for one in found] == [1600] * 4
    shares = [one["small"]["mgaug_from_epoch"] / one["small"]["epochs"] for one in found]
    assert shares == [0, 0.25, 0.5, 0.75]


def test_every_row_builds_the_learner_it_names(answers):
    _, built = answers
    for recipe in ROWS:
        one = built[recipe]
        first = "table1" in recipe.name
        assert one["learner"] == ("ProtoNet" if first else "FOMAML")
        if "with_mgaug_cp" in recipe.files:
            assert one["mask"] == ["CatfishMask", *((0.01, 0.03) if first else (0.001, 0.02))]
    named = {r.files[1] if r.files[1:] else "": built[r]["regularizers"] for r in ROWS}
    assert {row: classes for row, classes in named.items() if classes} == {
        "with_graddrop": ["GradDrop"],
        "with_maxup": ["MaxUp"],
        "with_metamix": ["MetaMix"],
        "with_mr": ["MRWeights"],
        "with_taml": ["EntropyTAML"],
    }


# Meta-ticket's recipes


def ticket(number, row, column, resolved, size="full"):
    cells = TICKET.table(number).cells
    cell = next(c for c in cells if (c.row, c.column) == (row, column))
    return cell, resolved[cell.recipe][size]


def test_tickets_have_the_numbers_that_the_text_speaks_of():
    for number, best in ((1, "+ BOIL"), (2, "Meta-ticket")):
        table = TICKET.table(number)
        assert len(table.cells) == 5 * 6
        column = [cell for cell in table.cells if cell.column == table.columns[-1]]
        assert max(column, key=lambda cell: cell.published.mean).row == best


def test_one_run_serves_all_columns_of_its_training_data():
    for number, runs in ((1, 10), (2, 10)):
        cells = TICKET.table(number).cells
        assert len({cell.recipe for cell in cells}) == runs
        assert sum(cell.elsewhere is None for cell in cells) == runs
        where = {cell.column.split("test-")[1]: cell.elsewhere for cell in cells if cell.elsewhere}
        names = ("vgg_flowers", "aircraft", "cifar_fs") if number == 1 else ("cub", "cars")
        assert set(where.values()) == set(names)


def test_tickets_have_the_budget_of_their_code(resolved):
    for recipe in TICKETS:
        found = resolved[recipe]["full"]
        constant = "meta_ticket_figure4" in recipe.files
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


def test_rows_and_columns_of_tickets_are_what_they_say(resolved):
    learners = {"MAML": "maml", "ANIL": "anil", "BOIL": "boil", "Meta-ticket": "meta_ticket"}
    learners["+ BOIL"] = "meta_ticket_boil"
    for row, learner in learners.items():
        for number, column, data, backbone, size in (
            (1, "train-CIFAR-FS test-Aircraft", "cifar_fs", "mlp", 32),
            (1, "train-VGG-Flower test-VGG-Flower", "vgg_flowers", "mlp", 32),
            (2, "ResNet-12 test-CUB", "mini_imagenet", "resnet12", 84),
            (2, "WideResNet-28-10 test-miniImageNet", "mini_imagenet", "wide_resnet", 84),
        ):
            _, found = ticket(number, row, column, resolved)
            kept = (found["learner"], found["data"], found["backbone"], found["image_size"])
            assert kept == (learner, data, backbone, size)


def test_the_small_form_of_tickets_needs_no_data(resolved):
    for recipe in TICKETS:
        small, full = resolved[recipe]["small"], resolved[recipe]["full"]
        assert (small["data"], small["image_size"]) == ("glyphs", 28)
        assert small["epochs"] * small["steps_per_epoch"] == 240
        assert (small["warmup_steps"] or 0) < 240
        assert all(small[name] == full[name] for name in ("learner", "backbone", "shot", "way"))


def test_figure_3_has_four_widths_on_each_curve(resolved):
    for panel, way in zip(TICKET.figure(3).panels, (5, 20)):
        curves = collections.defaultdict(list)
        for label, recipe in panel.labeled():
            found = resolved[recipe]["full"]
            curves[label].append(found["width_factor"] or 1)
            assert (found["way"], found["test_inner_steps"], found["rotations"]) == (way, 3, True)
            assert (found["iterand_every"] is not None) == label.endswith("IteRand")
        assert set(map(tuple, curves.values())) == {(1, 2, 4, 8)}
        assert list(curves) == ["MAML", "Meta-ticket", "Meta-ticket + IteRand"]


# Cells that are tests on other data


def evaluation_of(plan, dataset="cub"):
    (run,) = runs_of(plan, seeds=[0])
    return elsewhere.evaluation(run, dataset, plan)


def write_result(evaluation, accuracy):
    found = {"accuracy": accuracy, "interval": 0.02, "statistics": "transductive", "episodes": 600}
    found |= {"dataset": "cub/test", "seconds": 1.0}
    found["per_inner_step"] = {"transductive": {"mean": [0.2, accuracy]}}
    runs = [{"run": "run", "on": {evaluation.dataset: found}}]
    evaluation.path.write_text(json.dumps({"runs": runs}))


def test_a_finished_run_is_tested_elsewhere_once(plan):
    one, given = evaluation_of(plan), []

    def execute(arguments, log, show):
        given.append(arguments)
        write_result(one, 0.4)
        return 0

    assert elsewhere.measure([one], lambda line: None, execute) == []
    assert given == []  # there is no run yet
    finish(one.run, 0.6)
    assert elsewhere.measure([one, one], lambda line: None, execute) == []
    (arguments,) = given
    assert arguments[:2] == ["-m", "launch.evaluate"]
    assert {f"--runs={one.run.path}", "--datasets=cub", "--test_episodes=200"} <= set(arguments)
    found = outcome.combine([one], plan.published(one.run.recipe))
    assert (found.mean, found.outer_steps, found.changes) == (40.0, 100, [])


def test_a_failed_test_elsewhere_is_reported_with_its_log(plan):
    one = evaluation_of(plan)
    finish(one.run)
    (failure,) = elsewhere.measure([one], lambda line: None, lambda *_: 1)
    assert str(one.log) in failure.reason


def test_data_sets_may_have_folders_of_their_own(tmp_path):
    plan = Plan("full", {}, tmp_path, fake_resolve, {"cub": "/birds", "cars": "/cars"})
    one = evaluation_of(plan, "cars")
    assert "--data_dir=/birds" in one.run.arguments  # fake_resolve trains on cub
    assert "--datasets=cars:/cars" in one.arguments


# Selection


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (["cub/1-shot/conv-4/cp"], 1),
        (["CUB/5-way/mgaug"], 3 * 4),
        (["aug"], 8),  # not TaskAug, not MGAug
        (["protonet", "aug/conv4"], 8 + 4),
        ([], 56),
    ],
)
def test_cells_are_chosen_by_whole_words_of_their_labels(words, number):
    assert len(selection.select(MGAUG.table(1), words)) == number


def test_words_that_fit_no_cell_are_refused_with_those_that_would():
    with pytest.raises(ValueError, match=r"cub/maml fits no cell.*MGAug-CP.*miniImageNet"):
        selection.select(MGAUG.table(1), ["aug", "cub/maml"])


# What is run

SETTINGS = {
    "data": "cub",
    "epochs": 2,
    "steps_per_epoch": 50,
    "tasks": 4,
    "way": 5,
    "shot": 1,
    "query": 15,
    "train_query": 15,
    "learner": "fomaml",
    "inner_steps": 5,
    "backbone": "conv4",
    "filters": 8,
    "image_size": 28,
    "mask": "none",
    "resolutions": None,
    "regularizers": [],
    "maxup_m": None,
    "subnetworks": 3,
    "validation_episodes": 40,
    "test_episodes": 200,
    "data_dir": None,
    "data_seed": 0,
}


def fake_resolve(arguments):
    """Reads --name=value alone; recipes say nothing."""
    given = dict(text[2:].split("=", 1) for text in arguments if "=" in text)
    known = {name: value for name, value in given.items() if name in SETTINGS}
    return {**SETTINGS, **{n: int(v) if v.isdigit() else v for n, v in known.items()}}


def finish(run, accuracy=0.5, interval=0.01, **settings):
    run.path.mkdir(parents=True)
    (run.path / "flags.json").write_text(json.dumps({**run.planned, **settings}))
    report = {
        "accuracy": accuracy,
        "interval": interval,
        "statistics": "transductive",
        "episodes": 600,
        "dataset": "cub/test",
        "outer_steps": 100,
        "seconds": 10.0,
        "per_inner_step": {"transductive": {"mean": [0.2, accuracy]}, "support": {"mean": [0.4]}},
    }
    (run.path / "report.json").write_text(json.dumps(report))


@pytest.fixture
def plan(tmp_path):
    return Plan("full", {}, tmp_path, fake_resolve)


def runs_of(plan, seeds=(0, 1, 2)):
    return [plan.run(f"seed {seed}", Recipe(("family", "row")), seed) for seed in seeds]


def queue_of(runs, execute=None, lines=None):
    lines = [] if lines is None else lines
    return training.Queue(runs, execute, lambda line, passing: lines.append(line), lambda: 0.0)


def test_finished_runs_are_skipped_and_the_others_done_in_order(plan):
    runs = runs_of(plan)
    finish(runs[1])
    queue, started = None, []

    def execute(run, show):
        started.append(run.seed)
        finish(run)
        return 0

    queue = queue_of(runs, execute)
    assert "1 finished, 0 begun, 2 missing" in queue.announce()
    queue.work()
    assert started == [0, 2]
    assert [run.state for run in runs] == [FINISHED] * 3
    assert queue_of(runs).announce().endswith("Nothing to train.")


def test_an_interrupted_run_is_gone_on_with(plan):
    (run,) = runs_of(plan, seeds=[0])
    assert run.state == MISSING
    (run.path / "checkpoints").mkdir(parents=True)
    (run.path / "flags.json").write_text(json.dumps(run.planned))
    (run.path / "checkpoints" / "history.json").write_text("[{}]")
    assert (run.state, run.epochs_done) == (BEGUN, 1)
    assert "--resume" in run.arguments
    assert queue_of([run]).waiting == [run]


def test_a_failed_run_is_reported_with_its_log_while_the_others_go_on(plan):
    runs = runs_of(plan)

    def execute(run, show):
        if run.seed == 1:
            return 1
        finish(run)
        return 0

    queue, lines = None, []
    queue = queue_of(runs, execute, lines)
    queue.work()
    assert [failure.run.seed for failure in queue.failures] == [1]
    assert str(runs[1].log) in queue.failures[0].reason
    assert [run.state for run in runs] == [FINISHED, MISSING, FINISHED]
    assert any("FAILED" in line for line in lines)


def test_a_run_that_ends_well_without_a_report_has_failed(plan):
    runs = runs_of(plan, seeds=[0])
    queue = queue_of(runs, lambda run, show: 0)
    queue.work()
    assert len(queue.failures) == 1


def test_a_run_with_other_flags_is_neither_used_nor_touched(plan):
    runs = runs_of(plan)
    finish(runs[0], epochs=1)
    finish(runs[1], data_dir="/moved")
    queue = queue_of(runs)
    assert [run.seed for run in queue.waiting] == [2]
    assert "--epochs=1 (2)" in queue.failures[0].reason
    assert [failure.run.seed for failure in queue.failures] == [0]


def test_runs_with_other_flags_have_other_directories():
    names = {
        composition.variant("small", {}),
        composition.variant("full", {}),
        composition.variant("small", {"filters": ["--filters=4"]}),
        composition.variant("small", {"filters": ["--filters=8"]}),
    }
    assert len(names) == 4
    moved = {"data_dir": ["--data_dir=/elsewhere"], "threads": ["--threads=2"]}
    assert composition.variant("small", moved) == "small"


def test_the_forecast_is_corrected_by_what_runs_took(plan):
    runs = runs_of(plan, seeds=range(4))
    now = [0.0]

    def execute(run, show):
        now[0] += 3 * cost.seconds(run.planned)
        finish(run)
        return 0

    lines = []
    queue = training.Queue(runs, execute, lambda line, _: lines.append(line), lambda: now[0])
    queue.work()
    left = [line for line in lines if "left" in line]
    whole = 4 * cost.seconds(runs[0].planned)
    assert f"({progress.duration(whole)} left)" in left[0]
    assert f"({progress.duration(3 * whole / 2)} left)" in left[2]


def test_more_work_is_estimated_to_take_longer():
    base = cost.seconds(SETTINGS)
    larger = {"epochs": 20, "mask": "catfish", "image_size": 84, "filters": 64, "shot": 5}
    larger |= {"regularizers": ["maxup"], "test_episodes": 2000, "backbone": "resnet10"}
    larger |= {"gap_episodes": 40, "test_inner_steps": 10, "statistics": "running"}
    for more in ({name: value} for name, value in larger.items()):
        assert cost.seconds({**SETTINGS, **more}) > base
    assert cost.seconds(SETTINGS, epochs_done=1) < base


def test_an_interruption_ends_the_child_too(tmp_path):
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    seen = []

    def show(line):
        seen.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.execute(["-c", program], tmp_path / "run.log", show)
    assert not pathlib.Path(f"/proc/{seen[0]}").exists()
    assert (tmp_path / "run.log").read_text() == f"{seen[0]}\n"


# What is said


def rows_of(plan, runs, table, cell=0):
    finished = [run for run in runs if run.state == FINISHED]
    published = plan.published(runs[0].recipe)
    return [tables.Row(table.cells[cell], outcome.combine(finished, published), 120_000)]


def test_the_gap_and_both_intervals_are_those_worked_out_by_hand(plan):
    runs = runs_of(plan)
    for run, accuracy, interval in zip(runs, (0.44, 0.45, 0.49), (0.010, 0.010, 0.013)):
        finish(run, accuracy, interval)
    (row,) = rows_of(plan, runs, MGAUG.table(1))
    assert row.outcome.mean == pytest.approx(46.0)
    assert row.outcome.gap(row.cell.published) == pytest.approx(46.0 - 45.26)
    assert row.outcome.over_episodes == pytest.approx((369 / 3) ** 0.5 / 10)
    # s = sqrt(7), and 4.302653 is the 97.5 % quantile of Student's t with 2 degrees of freedom.
    assert row.outcome.over_seeds == pytest.approx(4.302653 * (7 / 3) ** 0.5, rel=1e-6)
    text = tables.text(MGAUG, MGAUG.table(1), [row])
    assert "ProtoNet" in text
    for cell in ("45.26 ± 0.90", "46.00 ± 1.11", "+0.74", "± 6.57", "100 of 120,000"):
        assert cell in text
    assert "transductive" in text
    assert "NOT" not in text


def test_another_experiment_has_no_gap_and_says_what_differs(tmp_path):
    plan = Plan("small", {"data": ["--data=glyphs"]}, tmp_path, fake_resolve)
    runs = runs_of(plan, seeds=[0])
    finish(runs[0], 0.4526)
    (row,) = rows_of(plan, runs, MGAUG.table(1))
    text = tables.text(MGAUG, MGAUG.table(1), [row])
    assert "--data=glyphs (cub)" in text
    assert "[1] NOT the paper's experiment" in text
    assert "+0.00" not in text
    assert row.to_json()["gap"] is None
    assert row.to_json()["comparable"] is False


def test_where_and_how_a_run_computed_does_not_make_it_another_experiment(plan):
    runs = runs_of(plan, seeds=[0])
    finish(runs[0], data_dir="/birds", seed=3)
    assert rows_of(plan, runs, MGAUG.table(1))[0].outcome.changes == []


def test_cells_without_a_run_stand_in_the_table(plan):
    rows = [tables.Row(cell, None, 1) for cell in MGAUG.table(2).cells]
    text = tables.text(MGAUG, MGAUG.table(2), rows)
    assert text.count("not run") == 72
    assert text.count("53.98 ± 0.48") == 1
    assert [row.to_json()["ours"] for row in rows] == [None] * 72


def test_a_figure_is_drawn_from_all_its_runs_under_their_names(plan):
    figure = MGAUG.figure(4)
    panel, labeled = drawing.runs(figure, plan, [0, 1])[0]
    arguments = drawing.arguments(panel, labeled, plan.directory / "figures" / "figure4_abc")
    assert arguments[0] == "hat"
    assert "--names=MGAug-WP,MGAug-WP,MGAug-PP,MGAug-PP,MGAug-CP,MGAug-CP" in arguments
    assert (arguments[1].count("seed0"), arguments[1].count("seed1")) == (3, 3)
    curves = drawing.runs(MGAUG.figure(3), plan, [0, 1])
    assert [len(labeled) for _, labeled in curves] == [6, 6]


FIGURES = [
    (paper.name, figure.number) for paper in PAPERS.values() for figure in paper.figures
    if figure.panels
]  # fmt: skip


@pytest.mark.parametrize(("paper", "number"), FIGURES)
def test_every_figure_is_drawn_from_the_runs_of_all_seeds(paper, number, plan):
    figure = PAPERS[paper].figure(number)
    drawn = [run for _, labeled in drawing.runs(figure, plan, [0, 1, 2]) for _, run in labeled]
    seeds = {}
    for run in drawn:
        seeds.setdefault(run.recipe, set()).add(run.seed)
    recipes = {recipe for panel in figure.panels for _, recipe in panel.labeled()}
    assert seeds == dict.fromkeys(recipes, {0, 1, 2})


def test_what_looks_at_one_network_has_a_picture_for_each_seed(plan):
    panels = drawing.runs(MGAUG.figure(7), plan, [0, 1, 2])
    assert [panel.name for panel, _ in panels] == [f"figure7_seed{seed}" for seed in range(3)]
    assert [[run.seed for _, run in labeled] for _, labeled in panels] == [[0], [1], [2]]
    assert [panel.name for panel, _ in drawing.runs(MGAUG.figure(7), plan, [4])] == ["figure7"]


# The command


def test_the_flags_of_all_panels_are_those_of_the_command_that_draws_them(plan):
    labeled = [("MGAug", plan.run("", Recipe(("family",)), 0))]
    figures = [figure for paper in PAPERS.values() for figure in paper.figures]
    panels = [panel for figure in figures for panel in figure.panels]
    given = {a for panel in panels for a in drawing.arguments(panel, labeled, plan.directory)}
    process = subprocess.run(
        [sys.executable, "-m", "launch.analyze", *sorted(given), "--only_check_args"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert process.returncode == 0, process.stderr


def test_the_commands_of_a_dry_run_are_complete_and_nothing_is_run(tmp_path):
    runs_dir = tmp_path / "runs"
    code, printed, errors = launch(
        *("--paper=mgaug", "--table=2", "--cells=cub/1-shot/conv-4/cp", "--dry_run"),
        *(f"--runs_dir={runs_dir}", "--size=full", "--seeds=0,1", "--data_dir=/my birds"),
    )
    assert code == 0, errors
    first, second = printed.splitlines()
    assert first == (
        "python -m launch.train "
        "--flagfile=launch/recipes/mgaug_table2_cub_1shot_conv4.flags "
        "--flagfile=launch/recipes/with_mgaug_cp.flags "
        "--flagfile=launch/recipes/mgaug_resolutions_conv4.flags '--data_dir=/my birds' --seed=0 "
        f"--run_dir={runs_dir}/full/mgaug_table2_cub_1shot_conv4+with_mgaug_cp"
        "+mgaug_resolutions_conv4/seed0 --resume"
    )
    assert "--seed=1" in second
    assert not runs_dir.exists()


def test_a_cell_is_run_and_printed_beside_the_paper_s(tmp_path):
    flags = (
        *("--paper=mgaug", "--table=1", "--cells=cub/1-shot/conv-4/protonet"),
        *(f"--runs_dir={tmp_path / 'runs'}", f"--output={tmp_path / 'table.json'}"),
        *("--epochs=1", "--steps_per_epoch=1", "--filters=2", "--query=2", "--train_query=2"),
        *("--validation_episodes=2", "--test_episodes=4"),
    )
    code, printed, errors = launch(*flags)
    assert code == 0, errors
    assert "45.26 ± 0.90" in printed
    assert "1 of 160,000" in printed
    assert "--filters=2 (64)" in " ".join(printed.split())
    (cell,) = json.loads((tmp_path / "table.json").read_text())["cells"]
    assert (cell["gap"], cell["comparable"]) == (None, False)
    assert cell["ours"]["dataset"] == "glyphs/test"


def test_a_log_that_meets_a_full_disk_is_named_with_a_remedy(tmp_path):
    words = r"run\.log cannot be written: File too large \(.* free\)"
    with limited(1000), pytest.raises(OSError, match=words):
        training.execute(["-c", "print('x' * 5000)"], tmp_path / "run.log", lambda line: None)
