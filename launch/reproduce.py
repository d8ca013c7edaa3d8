"""Reproduces the tables and figures of papers: runs what is missing and compares.

python -m launch.reproduce --list
python -m launch.reproduce --paper=mgaug --table=2 --cells=cub/1-shot/conv-4
python -m launch.reproduce --paper=meta_ticket --table=1 --cells=train-cifar-fs/boil

Runs are those of `launch.train`, each in a directory of its own under --runs_dir. The same command
goes on where it was stopped. --size=small, the default, is made for two cores and needs no data: it
shows that all of it runs, and is no result. --size=full is the paper's experiment. --jobs=8 trains
eight runs at the same time, each on a GPU of its own, or on a share of the CPU cores. How long runs
take is said as soon as one of their recipe has finished; a run says it after its first steps. Any
flag of launch.train given here (--data_dir=..., --filters=8) holds for every run, and --overwrite
for --output.
"""

import dataclasses
import itertools
import shlex
import sys
import time

from absl import flags

from launch import command, constructor_flags, errors, output, settings
from launch.data_flags import DATA
from launch.given_flags import read_with, refuse_idle
from launch.papers.registry import PAPERS
from launch.progress import duration
from launch.reproduction import (
    composition,
    drawing,
    elsewhere,
    listing,
    outcome,
    selection,
    slots,
    tables,
    training,
)
from launch.reproduction.notes import Notes
from launch.reproduction.request import Request
from launch.reproduction.runs import BEGUN, FINISHED, Plan

_STOPPING = "Ctrl-C loses at most an epoch; the same command continues."

GROUPS = {
    "What there is": ("list",),
    "What is reproduced": ("paper", "table", "figure", "cells"),
    "How": ("size", "seeds", "jobs", "dry_run"),
    "Where": ("runs_dir", "data_dir"),
}
_REQUEST = "launch.reproduction.request.Request"
# The flags of this command, which others of launch.train are passed on beside.
_FLAGS = tuple(field.name for field in dataclasses.fields(Request) if field.name != "overwrite")


settings.define()
flags.adopt_module_key_flags(settings)
constructor_flags.define_fields(_REQUEST, {"paper": sorted(PAPERS)}, without=("overwrite",))


def check(options):
    """Refuses flags that don't fit together.

    Args:
        options: absl flags.

    Raises:
        ValueError: they say why.
    """
    names = [name for name in (*_FLAGS, *settings.names()) if options[name].present]
    if options.list:
        unlisted = [name for name in names if name not in ("list", "paper")]
        refuse_idle(options, unlisted, dict.fromkeys(unlisted, read_with(list=(False,))))
        return
    if options.paper is None or (options.table is None) == (options.figure is None):
        raise ValueError("Expected --list, or --paper with one of --table and --figure.")
    if options.figure is not None and any(n in names for n in ("cells", "output", "overwrite")):
        raise ValueError("--cells, --output and --overwrite are for tables. Received: --figure.")
    if options.output is None and "overwrite" in names:
        raise ValueError("--overwrite is for --output. Received: --overwrite alone.")
    if options.dry_run and "output" in names:
        raise ValueError("--output holds results, of which --dry_run has none. Received: both.")


def reproduce(request):
    """Reproduces what is asked for.

    Args:
        request: `launch.reproduction.request.Request`.
    """
    if request.list:
        print(listing.text([PAPERS[request.paper]] if request.paper else PAPERS.values()))
        return
    plan = Plan(
        *(request.size, composition.passed_through(), request.runs_dir),
        folders=_folders(request.folders),
    )
    started = time.monotonic()
    seeds = _seeds(request.seeds)
    paper = PAPERS[request.paper]
    if request.table is not None:
        failures = _reproduce_table(request, plan, seeds, paper)
    else:
        failures = _reproduce_figure(request, plan, seeds, paper)
    if not request.dry_run:
        print(f"\n{duration(time.monotonic() - started)} in all")
    if failures:
        lines = "\n".join(f"  {failure.run.title}: {failure.reason}" for failure in failures)
        sys.exit(f"\n{len(failures)} failed:\n{lines}")


def _reproduce_table(request, plan, seeds, paper):
    """Runs and prints the cells of a table, and returns the failures."""
    table = paper.table(request.table)
    cells = selection.select(table, request.cells)
    runs = {
        cell: [plan.run(f"{cell.row} · {cell.column} · seed {s}", cell.recipe, s) for s in seeds]
        for cell in cells
    }
    # Several cells may be tests of one run.
    distinct = {}
    for run in itertools.chain.from_iterable(runs.values()):
        distinct.setdefault(run.path, run)
    queue = _queue(request, distinct)
    tests = {
        cell: [elsewhere.evaluation(run, cell.elsewhere, plan, cell.options) for run in cell_runs]
        for cell, cell_runs in runs.items()
        if cell.elsewhere is not None
    }
    plan.check_folders()
    if request.dry_run:
        _print_commands(queue)
        for test in itertools.chain.from_iterable(tests.values()):
            _print_command("launch.evaluate", test.arguments)
        return queue.failures
    file = output.path(request.output, request.overwrite)

    def write(_=None):
        rows = _rows(runs, tests, plan)
        if file:
            output.write(file, tables.to_json(paper, table, request.size, rows, queue.failures))
        return rows

    stopped = _work(queue, write)
    if not stopped:
        queue.failures += _measure(tests)
    print(f"\n{_banner(request.size)}{tables.text(paper, table, write())}")
    if file:
        print(f"\ntable  {file}")
    _end_if(stopped)
    return queue.failures


def _reproduce_figure(request, plan, seeds, paper):
    """Runs what a figure needs, draws it, and returns the failures."""
    figure = paper.figure(request.figure)
    if not figure.panels:
        raise ValueError(f"Figure {figure.number} of {paper.name}: {figure.remark}")
    panels = drawing.runs(figure, plan, seeds)
    distinct = {run.path: run for _, labeled in panels for _, run in labeled}
    queue = _queue(request, distinct)

    def folder(panel):
        return plan.directory / "figures" / f"{paper.name}_{panel.name}"

    plan.check_folders()
    if request.dry_run:
        _print_commands(queue)
        for panel, labeled in panels:
            _print_command("launch.analyze", drawing.arguments(panel, labeled, folder(panel)))
        return queue.failures
    _end_if(_work(queue))
    title = f"{paper.name}, Figure {figure.number}: {figure.caption}\n{figure.remark}"
    print(f"\n{_banner(request.size)}{title}")
    notes = Notes("hence another picture than the paper's")
    try:
        for panel, labeled in panels:
            marks = drawing.marks(labeled, plan, notes)
            _draw(panel, labeled, folder(panel), marks, queue.failures)
    except KeyboardInterrupt:
        _end_if(True)
    for line in notes.lines():
        print(line)
    return queue.failures


def _queue(request, distinct):
    """The queue of runs by path; for a dry run on any machine, whatever its devices."""
    dry = slots.WHOLE_MACHINE * request.jobs
    return training.Queue(
        list(distinct.values()), slots=dry if request.dry_run else slots.slots(request.jobs)
    )


def _banner(size):
    if size == "full":
        return ""
    return "SMALL form: neither the paper's data nor its network and budget (--size=full is).\n"


def _draw(panel, labeled, folder, marks, failures):
    missing = [run for _, run in labeled if run.state != FINISHED]
    if missing:
        print(f"{panel.name} is not drawn: {len(missing)} of its {len(labeled)} runs are missing.")
        return
    status, log = drawing.draw(panel, labeled, folder)
    if status:
        failures.append(training.Failure(labeled[0][1], training.reason(status, log)))
    else:
        print(f"{panel.name}{marks}  {folder}/{panel.analysis}.png, .json")


def _work(queue, done=lambda run: None):
    """Runs what is waiting; returns whether it was stopped."""
    print(f"{queue.announce()}\n{_STOPPING}\n", file=sys.stderr, flush=True)
    try:
        queue.work(done)
    except KeyboardInterrupt:
        return True
    return False


def _end_if(stopped):
    if stopped:
        command = shlex.join(["python", "-m", "launch.reproduce", *sys.argv[1:]])
        print(f"\nStopped. Continue with:\n  {command}", file=sys.stderr)
        sys.exit(errors.INTERRUPTED)


def _measure(tests):
    """Evaluates finished runs on other data sets, and returns the failures."""

    def say(line):
        print(line, file=sys.stderr, flush=True)

    return elsewhere.measure(list(itertools.chain.from_iterable(tests.values())), say)


def _rows(runs, tests, plan):
    rows = []
    for cell, cell_runs in runs.items():
        published = plan.published(cell.recipe)
        finished = [run for run in cell_runs if run.state == FINISHED and not run.stale]
        if cell in tests:
            paths = {run.path for run in finished}
            finished = [t for t in tests[cell] if t.run.path in paths and t.report is not None]
        steps = published["epochs"] * published["steps_per_epoch"]
        begun = any(run.state == BEGUN for run in cell_runs)
        combined = outcome.combine(finished, published)
        rows.append(tables.Row(cell, combined, steps, "not finished" if begun else "not run"))
    return rows


def _print_commands(queue):
    print(queue.announce(), file=sys.stderr)
    for run in queue.runs:
        if run in queue.waiting:
            _print_command("launch.train", run.arguments)
        elif run.state == FINISHED:
            print(f"# finished: {run.path}")


def _print_command(module, arguments):
    print(shlex.join(["python", "-m", module, *arguments]))


def _folders(texts):
    pairs = [text.partition(":")[::2] for text in texts]
    unknown = [f"{name}:{folder}" for name, folder in pairs if name not in DATA or not folder]
    if unknown:
        raise ValueError(
            "--folders must give some data sets of --data their folders, as cub:/birds. "
            f"Received: {', '.join(unknown)}."
        )
    return dict(pairs)


def _seeds(texts):
    seeds = [int(text) for text in texts]
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(f"--seeds must be different numbers. Received: {','.join(texts)}.")
    return seeds


def _reproduce_by_flags(options):
    reproduce(Request(**constructor_flags.fields(_REQUEST, options)))


main = command.main(_reproduce_by_flags, check)

if __name__ == "__main__":
    command.run(main, GROUPS)
