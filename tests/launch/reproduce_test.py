"""The tables and figures of papers: numbers, recipes, what is run, and what is said about it."""

import dataclasses
import json
import pathlib
import subprocess
import sys

import pytest

from launch.papers.paper import IN_TEXT, Recipe, read_table
from launch.papers.registry import PAPERS
from launch.reproduction import (
    children,
    composition,
    drawing,
    elsewhere,
    listing,
    outcome,
    selection,
    tables,
    training,
)
from launch.reproduction.notes import Notes
from launch.reproduction.runs import BEGUN, FINISHED, MISSING, Plan
from tests.helpers.full_disk import limited

ROOT = pathlib.Path(__file__).parents[2]
MGAUG = PAPERS["mgaug"]


def launch(*flags):
    process = subprocess.run(
        [sys.executable, "-m", "launch.reproduce", *flags],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return process.returncode, process.stdout, process.stderr


# Tables


def test_a_table_that_the_paper_has_not_is_refused():
    with pytest.raises(ValueError, match="must be one of 1, 2. Received: 3"):
        MGAUG.table(3)


def test_a_table_with_a_row_in_another_place_is_refused():
    with pytest.raises(ValueError, match="Expected rows"):
        read_table(1, "", "", "b 1±1\na 2±1", {"a": 1, "b": 2}, {"column": 3}, None)


# Cells that are tests on other data


def evaluation_of(plan, dataset="cub", options=()):
    (run,) = runs_of(plan, seeds=[0])
    return elsewhere.evaluation(run, dataset, plan, options)


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


def test_results_with_other_options_lie_side_by_side(tmp_path):
    plan = Plan("full", {}, tmp_path, fake_resolve, {"cub": "/birds"})
    whole, center = (
        evaluation_of(plan, options=options) for options in ((), ("--image_fit=center_crop",))
    )
    assert whole.path.name == "on_cub.json"
    assert center.path.name == "on_cub_center_crop.json"
    assert center.log.name == "on_cub_center_crop.log"
    options = {a for a in set(center.arguments) - set(whole.arguments) if "--output" not in a}
    assert options == {"--image_fit=center_crop"}


def test_data_sets_may_have_folders_of_their_own(tmp_path):
    plan = Plan("full", {}, tmp_path, fake_resolve, {"cub": "/birds", "cars": "/cars"})
    one = evaluation_of(plan, "cars")
    assert "--data_dir=/birds" in one.run.arguments  # fake_resolve trains on cub
    assert "--datasets=cars:/cars" in one.arguments


# The list


def test_recipes_beside_tables_and_figures_are_listed():
    listed = listing.text([PAPERS["network_pruning"], MGAUG])
    others = [*PAPERS["network_pruning"].others, *MGAUG.others]
    assert others
    assert all(f"--recipe={recipe.name} (" in listed for recipe in others)


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

RECIPE = Recipe("family/row", {}, {})
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
    "seed": 0,
}


def fake_resolve(arguments, recipe=None):
    """Lays a recipe under --name=value."""
    given = dict(text[2:].split("=", 1) for text in arguments if "=" in text)
    known = {name: value for name, value in given.items() if name in SETTINGS}
    known = {name: int(value) if value.isdigit() else value for name, value in known.items()}
    return {**SETTINGS, **(recipe or {}), **known}


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
    return [plan.run(f"seed {seed}", RECIPE, seed) for seed in seeds]


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


def test_a_finished_run_is_found_by_its_settings_whatever_its_directory_is_called(plan):
    (run,) = runs_of(plan, seeds=[1])
    earlier = plan.directory / "family+row" / "seed1"
    finish(run._replace(path=earlier), data_dir="/moved")
    again = Plan("full", {}, plan.directory.parent, fake_resolve)
    found, other = runs_of(again, seeds=[1, 2])
    assert (found.path, found.state) == (earlier, FINISHED)
    assert f"--run_dir={earlier}" in found.arguments
    assert (other.path, other.state) == (run.path.with_name("seed2"), MISSING)


def test_recipes_of_the_same_settings_share_a_run_but_not_one_that_records_other_things(plan):
    same, measured = Recipe("family/same", {}, {}), Recipe("family/measured", {"way": 20}, {})
    first, second = (plan.run("", recipe, 0) for recipe in (RECIPE, same))
    assert first.path == second.path
    assert plan.run("", measured, 0).path != first.path


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


def test_what_is_left_is_told_once_a_run_of_the_recipe_has_finished(plan):
    runs, lines, now = runs_of(plan, seeds=range(3)), [], [0.0]

    def execute(run, show):
        now[0] += 600
        finish(run)
        return 0

    queue = training.Queue(runs, execute, lambda line, _: lines.append(line), lambda: now[0])
    assert "Time left not known yet (a run of a recipe without a finished run" in queue.announce()
    queue.work()
    left = [line.rpartition("(")[2] for line in lines if "left" in line]
    assert left == ["time left not known yet)", "about 20 min left)", "about 10 min left)"]


def test_an_interruption_ends_the_child_too(tmp_path):
    program = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    seen = []

    def show(line):
        seen.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        children.execute(["-c", program], tmp_path / "run.log", show)
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
    assert row.gap == pytest.approx(46.0 - 45.26)
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


def test_a_recipe_that_is_not_the_paper_s_has_no_gap_and_says_why(plan):
    runs = runs_of(plan, seeds=[0])
    finish(runs[0], 0.4526)
    (row,) = rows_of(plan, runs, MGAUG.table(1))
    assert row.gap == pytest.approx(0)
    row.cell = dataclasses.replace(row.cell, departures=("birds are whole (cut out)",))
    text = tables.text(MGAUG, MGAUG.table(1), [row])
    assert "+0.00" not in text
    assert "hence no gap: birds are whole (cut out)" in " ".join(text.split())
    found = row.to_json()
    assert (found["gap"], found["comparable"]) == (None, False)
    assert found["departures"] == ["birds are whole (cut out)"]


def test_numbers_of_the_text_are_shown_as_it_has_them():
    paper = PAPERS["landscape"]
    table = paper.table(IN_TEXT)
    text = tables.text(paper, table, [tables.Row(cell, None, 1) for cell in table.cells])
    assert text.startswith("landscape, numbers of the text: Section 6")
    assert "94.05" in text
    assert "±" not in text
    assert "landscape numbers of the text: Section 6" in listing.text([paper])


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
    panel, labeled = drawing.runs(figure, plan, [0, 1])[1]
    arguments = drawing.arguments(panel, labeled, plan.directory / "figures" / "figure4_bc")
    assert arguments[0] == "hat"
    assert "--names=MGAug-PP,MGAug-PP,MGAug-CP,MGAug-CP" in arguments
    assert (arguments[1].count("seed0"), arguments[1].count("seed1")) == (2, 2)
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


def test_a_picture_of_other_runs_than_the_paper_s_is_marked(plan, tmp_path):
    other = Plan("small", {"data": ["--data=glyphs"]}, tmp_path, fake_resolve)
    notes = Notes("hence another picture")
    for drawn, marks in ((plan, ""), (other, " [1]")):
        runs = runs_of(drawn, seeds=[0])
        finish(runs[0])
        assert drawing.marks([("MAML", runs[0])], drawn, notes) == marks
    (line,) = notes.lines()
    assert line.startswith("[1] NOT the paper's experiment")
    assert "hence another picture: --data=glyphs (cub)" in " ".join(line.split())


# The command


def test_the_flags_of_all_panels_are_those_of_the_command_that_draws_them(plan):
    labeled = [("MGAug", plan.run("", RECIPE, 0))]
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
        "python -m launch.train --recipe=mgaug/table2/cub/1-shot/conv4/fomaml+cp "
        "'--data_dir=/my birds' --seed=0 "
        f"--run_dir={runs_dir}/full/mgaug/table2/cub/1-shot/conv4/fomaml+cp/seed0 --resume"
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
        children.execute(["-c", "print('x' * 5000)"], tmp_path / "run.log", lambda line: None)
