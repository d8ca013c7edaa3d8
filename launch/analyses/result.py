"""Results of an analysis, and what several analyses do alike."""

from typing import Any, NamedTuple

from launch.progress import Counter
from tfmgaug import learners

ABBREVIATIONS = {"CatfishMask": "CP", "ParameterMask": "PP", "WidthMask": "WP"}


class Result(NamedTuple):
    """The outcome of one analysis.

    Attributes:
        text: for the screen.
        results: for the JSON file, one dictionary a panel.
        figure: a `matplotlib.figure.Figure`, or None.
    """

    text: str
    results: list[dict]
    figure: Any = None


def of_each(runs, computed, note):
    """Puts what was computed of each run into one result.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        computed: for each of them an object with a text and `to_json`.
        note: what is to be known of all.

    Returns:
        A `Result`.
    """
    pairs = list(zip(runs, computed))
    text = "\n\n".join(f"{run.name}: {outcome}" for run, outcome in pairs)
    results = [
        {"run": str(run.path), "name": run.name, "note": note, **outcome.to_json()}
        for run, outcome in pairs
    ]
    return Result(f"{text}\n\n{note}", results)


def of_reports(reports, figure):
    """Puts reports of networks and sub-networks into one result.

    Args:
        reports: list of `tfmgaug.analysis.SubnetworkReport`.
        figure: of them.

    Returns:
        A `Result`.
    """
    text = "\n\n".join(map(str, reports))
    return Result(text, [report.to_json() for report in reports], figure)


def pruned(runs, masks):
    """Yields every run with every mask, and what a figure calls the two.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        masks: names of masks, or None for the run's own.

    Yields:
        A `Run`, a `Mask` and a name.
    """
    for run in runs:
        for mask in run.masks(masks):
            kind = type(mask).__name__
            yield run, mask, f"{run.name}, {ABBREVIATIONS.get(kind, kind)}"


def check_learned_over_tasks(run, theorem):
    """Refuses runs that a theorem about weights learned over tasks says nothing of.

    Args:
        run: `launch.analyses.runs.Run`.
        theorem: what it is about, the start of the error.

    Raises:
        ValueError: the run's learner learns no weights, or has no tasks in training.
    """
    learner = run.learner
    if isinstance(learner, learners.FineTuning) or not learner.learns_weights:
        why = "learns nothing over tasks" if learner.learns_weights else "learns no weights"
        raise ValueError(
            f"{theorem} bounds what weights learned over tasks do on new ones. "
            f"Received: {run.path} of {type(learner).__name__}, which {why}."
        )


def counted(name):
    """Returns a progress function that counts tasks."""
    return Counter(f"Analyzing {name}", "tasks")
