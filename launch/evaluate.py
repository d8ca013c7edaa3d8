"""Evaluates saved runs on frozen episodes, of their own data set or of another.

Several runs meet the same episodes and are compared pair by pair.

Example:
    python -m launch.evaluate --runs=runs/a,runs/b --data=omniglot
"""

import itertools

from absl import app, flags, logging

from launch import errors, loading, output, settings, summary, tasks
from tfmgaug import batch_statistics, evaluation
from tfmgaug.files import write_json

settings.define_data()
flags.DEFINE_list("runs", None, "Run directories, or .keras files of learners.")
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
    sampler = tasks.test_sampler(options)
    for path, learner in learners.items():
        _check_fit(path, learner, sampler)
    reports = [
        summary.evaluate(learner, sampler, options.test_episodes, path, tuple(options.statistics))
        for path, learner in learners.items()
    ]
    floor = evaluation.pixel_floor(sampler, episodes=options.test_episodes)
    print(f"{reports[0].table(*reports[1:], floor)}\n")
    comparisons = _compare(reports, options.statistics)
    if file:
        result = {
            "reports": [summary.headline(report) for report in reports],
            "floor": summary.headline(floor),
            "comparisons": comparisons,
        }
        write_json(file, result)
        print(f"report  {file}")


def _check_fit(path, learner, sampler):
    shape = sampler.image_shape
    if tuple(learner.image_shape) != tuple(shape):
        raise ValueError(
            f"{path} was trained on images {learner.image_shape}. Received: {shape}. Use "
            "--image_size for another size; other channels need another run."
        )
    if learner.way is not None and learner.way != sampler.way:
        raise ValueError(f"{path} was trained {learner.way}-way. Received: --way={sampler.way}.")


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
