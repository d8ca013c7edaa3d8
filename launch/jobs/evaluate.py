"""The evaluation of saved runs on frozen episodes."""

import itertools
import time

from launch import cross_domain, loading, output, summary, tasks
from launch.progress import duration
from tfmgaug import evaluation


def run(options):
    """Runs the evaluation with the flags.

    Args:
        options: absl flags of `launch.evaluate`.
    """
    started = time.monotonic()
    file = output.path(options)
    learners = {path: loading.load_learner(path) for path in options.runs}
    result = (_across if options.datasets else _on_one)(options, learners)
    if file:
        output.write(file, result)
        print(f"report  {file}")
    print(f"{duration(time.monotonic() - started)} in all")


def _across(options, learners):
    """Evaluates on several data sets, prints a table and returns what goes into the file."""
    outcome = cross_domain.run(options, learners)
    for mode in options.statistics:
        print(f"{cross_domain.text(outcome, mode)}\n")
    return cross_domain.to_json(outcome)


def _on_one(options, learners):
    """Evaluates on one data set, prints a table and returns what goes into the file."""
    sampler = tasks.test_sampler(options, options.runs)
    for path, learner in learners.items():
        cross_domain.check_fit(path, learner, sampler)
    episodes, modes = options.test_episodes, tuple(options.statistics)
    left = range(len(learners) - 1, -1, -1)
    reports = [
        summary.evaluate(learner, sampler, episodes, path, modes, more)
        for more, (path, learner) in zip(left, learners.items())
    ]
    floor = evaluation.pixel_floor(sampler, episodes=options.test_episodes)
    print(f"{reports[0].table(*reports[1:], floor)}\n")
    return {
        "reports": [summary.headline(report) for report in reports],
        "floor": summary.headline(floor),
        "comparisons": _compare(reports, options.statistics),
    }


def _compare(reports, modes):
    """Prints the paired differences of every two reports in every mode, and returns them."""
    results = []
    for (first, second), mode in itertools.product(itertools.combinations(reports, 2), modes):
        comparison = evaluation.compare(first, second, mode)
        print(f"{comparison}\n")
        results.append(comparison.to_json())
    return results
