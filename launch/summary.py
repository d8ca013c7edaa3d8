"""The end of a run: its results, figures and exported model."""

import resource
import sys
import time

from launch.progress import Counter
from tfmgaug import evaluation, export, figures
from tfmgaug.batch_statistics import ONE_BY_ONE, RUNNING
from tfmgaug.callbacks.checkpoint import BEST, LAST
from tfmgaug.files import write_json, write_saved


def conclude(experiment, directory, learner, job, initial, history, started):
    """Evaluates the learner of the epoch to keep, and writes and lists a run's results.

    Args:
        experiment: `launch.experiment.Experiment`.
        directory: `RunDirectory`.
        learner: the trained learner.
        job: `launch.tasks.Tasks`.
        initial: list of arrays, the learner's weights before training.
        history: list of logs, one per epoch.
        started: `time.monotonic()` at the start of the process.
    """
    # Reptile was built with them, beside those that it is trained with.
    if experiment.test_inner_steps is not None and experiment.learner.name != "reptile":
        learner.inner_steps = experiment.test_inner_steps
    initialization = _evaluate_initialization(experiment, learner, job, initial)
    learner.load_weights(directory.checkpoints / (BEST if experiment.keep == "best" else LAST))
    report = evaluate(
        learner, job.test, experiment.test_episodes, type(learner).__name__, _modes(experiment)
    )
    floor = (
        None
        if job.regression
        else evaluation.pixel_floor(job.test, episodes=experiment.test_episodes)
    )
    beside = [other for other in (initialization, floor) if other is not None]
    _write_models(directory, learner)
    _draw(directory, job, history, report, beside)
    _write_report(experiment, directory, report, initialization, floor, history, started)
    print(f"\n{report.table(*beside)}\n")
    _say_where(directory, started)


def evaluate(learner, sampler, episodes, name, statistics, more=0):
    """Evaluates a learner and shows the progress.

    Args:
        learner: `MetaLearner`.
        sampler: of test episodes.
        episodes: int.
        name: of the report.
        statistics: modes.
        more: int, further evaluations of this size that follow.

    Returns:
        A `tfmgaug.evaluation.Report`.
    """
    return evaluation.evaluate(
        learner,
        sampler,
        episodes=episodes,
        statistics=statistics,
        name=name,
        progress=Counter(f"Evaluating {name}", "episodes", more),
    )


def _evaluate_initialization(experiment, learner, job, initial):
    # The same object with its first weights: its graphs are traced once.
    for variable, value in zip(learner.weights, initial):
        variable.assign(value)
    name = "initialization"
    return evaluate(learner, job.test, experiment.test_episodes, name, _modes(experiment), more=1)


def _modes(experiment):
    # Running averages are there if they were trained with; one by one is a pass over the support
    # set for every query. Both are for those alone who ask for them.
    trained_with = experiment.learner.arguments["statistics"]
    asked = (trained_with,) if trained_with in (RUNNING, ONE_BY_ONE) else ()
    return (*asked, "transductive", "support")


def _write_models(directory, learner):
    write_saved(learner.save, directory.learner)
    export(learner, directory.export, overwrite=True)


def _draw(directory, job, history, report, beside):
    if not job.regression:
        figures.save(figures.episode_grid(job.test.episode(0)), directory.figures / "episode.png")
    figures.save(
        figures.accuracy_per_step(report, *beside), directory.figures / "accuracy_per_step.png"
    )
    figures.save(figures.training_curves(history), directory.figures / "training_curves.png")


def _write_report(experiment, directory, report, initialization, floor, history, started):
    result = {
        **headline(report),
        "initialization": headline(initialization),
        "floor": None if floor is None else headline(floor),
        "way": experiment.way,
        "shot": experiment.shot,
        "query": experiment.query,
        "seed": experiment.seed,
        "outer_steps": history[-1]["step"],
        "trained_with_statistics": experiment.learner.arguments["statistics"],
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_megabytes": peak_memory(),
    }
    write_json(directory.report, result)


def headline(report):
    """Sums up a report: its first statistics mode's result, and every mode per inner step.

    Args:
        report: `tfmgaug.evaluation.Report`.

    Returns:
        A dictionary for JSON.
    """
    first = report.summary()
    rows = report.to_json()["statistics"]
    return {
        "name": report.name,
        "dataset": report.dataset,
        report.metric: first.mean,
        "standard_deviation": first.standard_deviation,
        "interval": first.interval,
        "statistics": report.statistics[0],
        "episodes": report.episodes,
        "episode_seed": report.seed,
        "per_inner_step": {mode: columns[report.metric] for mode, columns in rows.items()},
    }


def peak_memory():
    """Returns the largest resident size of this process so far, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))


def _say_where(directory, started):
    print(
        f"figures      {directory.figures}/\n"
        f"report       {directory.report}\n"
        f"learner      {directory.learner}\n"
        f"SavedModel   {directory.export}/\n"
        f"checkpoints  {directory.checkpoints}/\n"
        f"flags        {directory.flags}\n"
        f"TensorBoard  tensorboard --logdir {directory.events}\n"
        f"{time.monotonic() - started:.0f} s, {peak_memory()} MB at most"
    )
