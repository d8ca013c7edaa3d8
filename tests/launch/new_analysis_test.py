"""A new analysis is one file and one row: its flags, help and refusals come by themselves."""

import json

import pytest

from tests.helpers import added_module

FILE = '''
"""How many epochs runs have."""

from typing import Literal

from launch.analyses import result


def analyze(runs, *, shifts: list[int] = (0,), unit: Literal["epochs", "rows"] = "epochs"):
    """Counts epochs.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        shifts: list of ints >= 0, what is added to the count.
        unit: what the count is of.
    """
    counts = [len(run.history) + shift for run in runs for shift in shifts]
    return result.Result(f"{counts} {unit}", [{"counts": counts}])
'''
PROGRAM = """
import sys
from launch.analyses import registry
in_launch = registry.module
registry.module = lambda name: name if name == "lengths" else in_launch(name)
registry.ANALYSES["lengths"] = registry.Row("Of tests", looks_at_tasks=False)
from launch import analyze, command
print("tensorflow" in sys.modules)
command.run(analyze.main, analyze.GROUPS)
"""


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "first"
    (path / "checkpoints").mkdir(parents=True)
    saved = {"data": "glyphs", "mutually_exclusive": True, "test_classes": "test"}
    (path / "flags.json").write_text(json.dumps(saved))
    (path / "checkpoints" / "history.json").write_text(json.dumps([{"epoch": 0}, {"epoch": 1}]))
    return path


def launch(folder, *arguments):
    """Runs the command in a process where the analysis has been added."""
    return added_module.run(folder, "lengths", FILE, PROGRAM, *arguments)


def test_its_flags_have_the_docstring_s_help_and_the_signature_s_defaults(tmp_path):
    printed, errors = launch(tmp_path, "--helpfull")
    assert "--shifts: What is added to the count. Read by lengths." in printed, errors
    assert "--unit: <epochs|rows>: What the count is of. Read by lengths." in printed
    assert "(default: 'epochs')" in printed


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["lengths", "--unit=hours"], "should be one of <epochs|rows>"),
        (["lengths", "--shifts=-1"], "each must be an integer of at least 0, not '-1'"),
        (["lengths", "--rates=0.1"], "--rates has no meaning for `lengths`, which takes"),
        (["lengths", "--query=3"], "--query has no meaning for `lengths`"),
        (["hat", "--shifts=1"], "--shifts is a flag of lengths."),
        (["length"], "lengths, representation, "),
    ],
)
def test_wrong_flags_are_refused_without_tensorflow(arguments, answer, tmp_path):
    printed, errors = launch(tmp_path, *arguments, "--runs=runs/a")
    assert answer in errors
    assert printed == "False\n"


def test_it_is_run_with_the_flags_that_are_given(run_dir, tmp_path):
    flags = ("--shifts=0,5", f"--output_dir={tmp_path / 'out'}")
    printed, errors = launch(tmp_path, "lengths", f"--runs={run_dir}", *flags)
    assert "[2, 7] epochs" in printed, errors
    written = json.loads((tmp_path / "out" / "lengths.json").read_text())
    assert written["results"] == [{"counts": [2, 7]}]
