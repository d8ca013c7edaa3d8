"""Evaluates saved runs on frozen episodes, of their own data set or of others.

Several runs meet the same episodes and are compared pair by pair. With --datasets they meet those
of several data sets, resized to the images of the run, in one table. Of a folder that they were not
trained on, all classes are test classes, unless it holds train/, validation/ and test/, or test/
alone.

Example:
    python -m launch.evaluate --runs=runs/a,runs/b --data=omniglot
    python -m launch.evaluate --runs=runs/a --datasets=cifar_fs,folder:/path/to/photos --shot=5
"""

import itertools

from absl import app, flags, logging

from launch import cross_domain, data_flags, errors, loading, output, summary, tasks
from tfmgaug import batch_statistics, evaluation
from tfmgaug.files import write_json

data_flags.define()
flags.adopt_module_key_flags(data_flags)  # --helpshort lists them
flags.DEFINE_list("runs", None, "Run directories, or .keras files of learners.")
flags.DEFINE_list(
    "datasets",
    [],
    "Data sets, each with its folder behind a colon where --data_dir is not it: "
    "cub,folder:/path/to/photos.",
)
flags.DEFINE_list("statistics", ["transductive", "support"], "Batch-statistics modes.")
output.define("the results")
flags.mark_flag_as_required("runs")


@errors.plainly
def main(_):
    """Runs the evaluation with the flags."""
    logging.set_verbosity(logging.WARNING)
    options = flags.FLAGS
    for mode in options.statistics:
        batch_statistics.check_mode(mode)
    file = output.path(options)
    learners = {path: loading.load_learner(path) for path in options.runs}
    result = (_across if options.datasets else _on_one)(options, learners)
    if file:
        write_json(file, result)
        print(f"report  {file}")


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
    reports = [
        summary.evaluate(learner, sampler, options.test_episodes, path, tuple(options.statistics))
        for path, learner in learners.items()
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


if __name__ == "__main__":
    app.run(main)
