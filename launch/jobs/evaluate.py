"""The evaluation of saved runs on frozen episodes."""

import itertools
import time

from launch import cross_domain, data_sets, loading, summary, tasks
from launch import output as output_file
from launch.experiment import Data
from launch.progress import duration
from tfmgaug import evaluation


def run(
    data: Data,
    runs: list[str],
    datasets: list[str] = (),
    statistics: list[str] = ("transductive", "support"),
    output: str | None = None,
    overwrite: bool = False,
):
    """Evaluates runs.

    Args:
        data: `launch.experiment.Data`.
        runs: run directories, or .keras files of learners.
        datasets: data sets, each with its folder behind a colon where --data_dir is not it:
            cub,folder:/path/to/photos.
        statistics: batch-statistics modes.
        output: JSON file for the results.
        overwrite: replace --output if it exists.

    Raises:
        FileExistsError: the output exists and is not to be replaced.
        FileNotFoundError: data or a run is missing.
        ValueError: a run doesn't fit the data.
    """
    started = time.monotonic()
    file = output_file.path(output, overwrite)
    learners = {path: loading.load_learner(path) for path in runs}
    if datasets:
        result = _across(data, data_sets.parse(datasets), statistics, learners)
    else:
        result = _on_one(data, statistics, learners)
    if file:
        output_file.write(file, result)
        print(f"report  {file}")
    print(f"{duration(time.monotonic() - started)} in all")


def _across(data, datasets, statistics, learners):
    """Evaluates on several data sets, prints a table and returns what goes into the file."""
    outcome = cross_domain.run(data, datasets, statistics, learners)
    for mode in statistics:
        print(f"{cross_domain.text(outcome, mode)}\n")
    return cross_domain.to_json(outcome)


def _on_one(data, statistics, learners):
    """Evaluates on one data set, prints a table and returns what goes into the file."""
    sampler = tasks.test_sampler(data, list(learners))
    for path, learner in learners.items():
        cross_domain.check_fit(path, learner, sampler)
    episodes, modes = data.test_episodes, tuple(statistics)
    left = range(len(learners) - 1, -1, -1)
    reports = [
        summary.evaluate(learner, sampler, episodes, path, modes, more)
        for more, (path, learner) in zip(left, learners.items())
    ]
    floor = evaluation.pixel_floor(sampler, episodes=episodes)
    print(f"{reports[0].table(*reports[1:], floor)}\n")
    return {
        "reports": [summary.headline(report) for report in reports],
        "floor": summary.headline(floor),
        "comparisons": _compare(reports, statistics),
    }


def _compare(reports, modes):
    """Prints the paired differences of every two reports in every mode, and returns them."""
    results = []
    for (first, second), mode in itertools.product(itertools.combinations(reports, 2), modes):
        comparison = evaluation.compare(first, second, mode)
        print(f"{comparison}\n")
        results.append(comparison.to_json())
    return results
