"""The outcome of a table's cell: its mean over seeds, and intervals."""

import math
import statistics
from typing import NamedTuple

from launch.reproduction import composition


class Outcome(NamedTuple):
    """The result of one cell.

    Attributes:
        mean: accuracy in percent, the mean over seeds.
        over_episodes: half width of its 95 % interval over test episodes. All seeds meet the same
            episodes, so that more seeds don't narrow it: the root of the seeds' mean square.
        over_seeds: half width of its 95 % interval over seeds (Student's t), None for one seed.
        seeds: list of the seeds.
        means: list of the seeds' own means.
        episodes: number of test episodes.
        statistics: the batch-statistics mode of the numbers.
        modes: dictionary from every evaluated mode to its mean over seeds, in percent.
        dataset: name of the test data.
        outer_steps: how many outer steps each run was trained for.
        changes: list of texts, the settings that differ from the paper's; empty if there are none.
        seconds: of all runs together.
    """

    mean: float
    over_episodes: float
    over_seeds: float | None
    seeds: list
    means: list
    episodes: int
    statistics: str
    modes: dict
    dataset: str
    outer_steps: int
    changes: list
    seconds: float


def combine(runs, published):
    """Combines the finished runs of a cell.

    Args:
        runs: list of finished `Run`s, of different seeds.
        published: dictionary, the flags of the recipe's full form.

    Returns:
        An `Outcome`, or None if there are no runs.

    Raises:
        ValueError: the runs differ in data, episodes, statistics or length.
    """
    if not runs:
        return None
    reports = [run.report for run in runs]
    shared = {
        key: _the_same(key, reports) for key in ("episodes", "statistics", "dataset", "outer_steps")
    }
    means = [100 * report["accuracy"] for report in reports]
    squares = [(100 * report["interval"]) ** 2 for report in reports]
    return Outcome(
        mean=statistics.fmean(means),
        over_episodes=math.sqrt(statistics.fmean(squares)),
        over_seeds=_over_seeds(means),
        seeds=[run.seed for run in runs],
        means=means,
        modes=_modes(reports),
        changes=_changes(runs, published),
        seconds=sum(report["seconds"] for report in reports),
        **shared,
    )


def _the_same(key, reports):
    values = {report[key] for report in reports}
    if len(values) > 1:
        raise ValueError(f"Runs of one cell must have the same {key}. Received: {values}.")
    return values.pop()


def _over_seeds(means):
    if len(means) < 2:
        return None
    from tfmgaug.evaluation.intervals import half_width  # imports TensorFlow: tables alone

    return half_width(statistics.stdev(means) / math.sqrt(len(means)), len(means))


def _modes(reports):
    return {
        mode: 100
        * statistics.fmean(report["per_inner_step"][mode]["mean"][-1] for report in reports)
        for mode in reports[0]["per_inner_step"]
    }


def _changes(runs, published):
    changes = [change for run in runs for change in composition.changes(run.saved, published)]
    return list(dict.fromkeys(changes))
