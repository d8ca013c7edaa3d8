"""The evaluation of runs on several data sets, as one table."""

import dataclasses
from typing import NamedTuple

from launch import data_flags, summary, tasks
from tfmgaug import evaluation


class Outcome(NamedTuple):
    """The results of runs on several data sets.

    Attributes:
        datasets: list of `launch.data_sets.Dataset`.
        runs: dictionary from runs to their reports, one for each data set.
        floors: dictionary from sizes of images, as text, to the pixel floors of the data sets.
    """

    datasets: list
    runs: dict
    floors: dict


def run(data, datasets, statistics, learners):
    """Evaluates every run on every data set; all runs meet the same episodes of it.

    Images are resized to those that a run was trained on.

    Args:
        data: `launch.experiment.Data`, of which data set, folder and size of images are replaced.
        datasets: list of `launch.data_sets.Dataset`.
        statistics: batch-statistics modes.
        learners: dictionary from paths to learners.

    Returns:
        An `Outcome`.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: a run doesn't fit a data set, or flags don't fit each other.
    """
    samplers = {
        (dataset, _size(learner)): None for dataset in datasets for learner in learners.values()
    }
    for dataset, size in samplers:
        resized = _resized(data, dataset, size)
        samplers[dataset, size] = tasks.test_sampler(resized, list(learners))
    for path, learner in learners.items():
        for dataset in datasets:
            check_fit(path, learner, samplers[dataset, _size(learner)])
    left = iter(range(len(datasets) * len(learners) - 1, -1, -1))

    def report(path, learner, dataset):
        sampler = samplers[dataset, _size(learner)]
        name = f"{path} on {sampler.classes.name}"
        return summary.evaluate(
            learner, sampler, data.test_episodes, name, tuple(statistics), next(left)
        )

    def floor(dataset, size):
        return evaluation.pixel_floor(samplers[dataset, size], episodes=data.test_episodes)

    sizes = dict.fromkeys(map(_size, learners.values()))
    return Outcome(
        datasets,
        {p: [report(p, learner, d) for d in datasets] for p, learner in learners.items()},
        {f"{size[0]} x {size[1]}": [floor(d, size) for d in datasets] for size in sizes},
    )


def check_fit(path, learner, sampler):
    """Checks that a learner can predict a sampler's episodes.

    Args:
        path: of the learner, for the message.
        learner: `MetaLearner`.
        sampler: `EpisodeSampler`.

    Raises:
        ValueError: it can't.
    """
    shape, name = tuple(sampler.image_shape), sampler.classes.name
    trained = tuple(learner.image_shape)
    if trained[-1] != shape[-1]:
        raise ValueError(
            f"{path} was trained on images {trained}, with {trained[-1]} channel(s). Received: "
            f"{name} of {shape[-1]} channel(s), which needs another run."
        )
    if trained != shape:
        raise ValueError(
            f"{path} was trained on images {trained}. Received: {shape} of {name}. Use "
            "--image_size for another size."
        )
    if learner.way is not None and learner.way != sampler.way:
        raise ValueError(f"{path} was trained {learner.way}-way. Received: --way={sampler.way}.")


def text(outcome, mode):
    """Formats the results in one batch-statistics mode.

    Args:
        outcome: `Outcome`.
        mode: batch-statistics mode.

    Returns:
        Lines of text: a row for each run, a column for each data set.
    """
    first = next(iter(outcome.runs.values()))
    rows = [["", *(report.dataset for report in first)]]
    rows += [[path, *(_cell(r, mode) for r in reports)] for path, reports in outcome.runs.items()]
    rows += [[f"pixel floor, {s}", *map(_cell, reports)] for s, reports in outcome.floors.items()]
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "   ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    title = (
        f"Query accuracy, %, {first[0].way}-way {first[0].shot}-shot, {mode} statistics: mean ± "
        f"95 % interval over {first[0].episodes} episodes"
    )
    return "\n".join([title, "", lines[0], "-" * max(map(len, lines)), *lines[1:]])


def to_json(outcome):
    """Returns the results as a dictionary that JSON can hold."""

    def named(reports):
        return {str(d): _headline(report) for d, report in zip(outcome.datasets, reports)}

    return {
        "datasets": [str(dataset) for dataset in outcome.datasets],
        "runs": [{"run": path, "on": named(reports)} for path, reports in outcome.runs.items()],
        "floors": [
            {"images": size, "on": named(reports)} for size, reports in outcome.floors.items()
        ],
    }


def _resized(data, dataset, size):
    """The settings for one data set and size of images."""
    if data.test_crop and size[0] != size[1]:
        raise ValueError(f"--test_crop needs square images. Received: {size[0]} x {size[1]}.")
    # One number for a square: the margin of --test_crop is in proportion to it.
    side = size[0] if size[0] == size[1] else size
    there = dataclasses.replace(data, data_dir=dataset.folder or data.data_dir, image_size=side)
    return data_flags.for_data_set(there, dataset.name)


def _size(learner):
    return tuple(learner.image_shape)[:2]


def _cell(report, mode=None):
    result = report.summary(mode if mode in report.statistics else None)
    return f"{100 * result.mean:.2f} ± {100 * result.interval:.2f}"


def _headline(report):
    return {**summary.headline(report), "seconds": round(report.seconds, 1)}
