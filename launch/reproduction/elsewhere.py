"""Runs evaluated on other data sets than they were trained on."""

import json
import pathlib
import types
from typing import NamedTuple

from launch.data_flags import READ_WITH
from launch.given_flags import idle
from launch.reproduction import children, training
from launch.reproduction.runs import FINISHED

# Needs no data: turned characters stand for another domain.
_SMALL = ("--datasets=glyphs", "--rotations")
# Flags of both commands, in which the test elsewhere agrees with the run's test.
_SHARED = ("way", "shot", "query", "test_episodes", "data_seed")
_PASSED = ("cache_dir", "data_dir", "download")


class Evaluation(NamedTuple):
    """One run on one other data set.

    Attributes:
        run: `Run`.
        dataset: name of the data set.
        arguments: list of arguments of `launch.evaluate`, complete.
        path: the file of its result, in the run's directory, so that both are removed together.
    """

    run: tuple
    dataset: str
    arguments: list
    path: pathlib.Path

    @property
    def log(self):
        """The file of its output."""
        return self.path.with_suffix(".log")

    @property
    def seed(self):
        """The run's."""
        return self.run.seed

    @property
    def saved(self):
        """The run's flags."""
        return self.run.saved

    @property
    def report(self):
        """The result in the form of a run's, or None."""
        if not self.path.is_file():
            return None
        ((report,),) = (run["on"].values() for run in json.loads(self.path.read_text())["runs"])
        return {**report, "outer_steps": self.run.report["outer_steps"]}


def evaluation(run, dataset, plan, options=()):
    """Plans the evaluation of a run.

    Args:
        run: `Run`.
        dataset: name of the data set.
        plan: `Plan` that the run is of.
        options: further flags, which the small form, whose data set is another, goes without.

    Returns:
        An `Evaluation`.
    """
    if plan.size == "small":
        tested, where, options = "glyphs", _SMALL, ()
    else:
        folder = plan.folder_of(dataset)
        tested = dataset
        where = (f"--datasets={dataset}{'' if folder is None else f':{folder}'}",)
    unread = sum(idle(types.SimpleNamespace(data=tested), _PASSED, READ_WITH).values(), [])
    passed = [name for name in _PASSED if name not in unread]
    of_plan = [argument for name in passed for argument in plan.passed.get(name, ())]
    shared = [f"--{name}={run.planned[name]}" for name in _SHARED]
    # A result with other options is another result.
    path = run.path / f"on_{'_'.join([dataset, *(o.partition('=')[2] for o in options)])}.json"
    arguments = [f"--runs={run.path}", *where, *options, *shared, *of_plan, f"--output={path}"]
    return Evaluation(run, dataset, arguments, path)


def measure(evaluations, say, execute=children.execute):
    """Runs the evaluations that are missing, of the runs that have finished.

    Args:
        evaluations: list of `Evaluation`.
        say: function of a line for the screen.
        execute: `children.execute`.

    Returns:
        A list of `training.Failure`.
    """
    failures = []
    for test in evaluations:
        if test.run.state != FINISHED or test.run.stale or test.report is not None:
            continue
        say(f"Testing {test.run.title}")
        status = execute(["-m", "launch.evaluate", *test.arguments], test.log, lambda line: None)
        if status or test.report is None:
            failures.append(training.Failure(test.run, training.reason(status, test.log)))
    return failures
