"""What an analysis hands back, and how its progress is shown."""

from typing import Any, NamedTuple

from launch.progress import Counter
from tfmgaug import learners


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


def of_each(runs, found, note):
    """Puts what was computed of each run into one result.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        found: for each of them an object with a text and `to_json`.
        note: what is to be known of all.

    Returns:
        A `Result`.
    """
    text = "\n\n".join(f"{run.name}: {one}" for run, one in zip(runs, found))
    results = [
        {"run": str(run.path), "name": run.name, "note": note, **one.to_json()}
        for run, one in zip(runs, found)
    ]
    return Result(f"{text}\n\n{note}", results)


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


def table(report):
    """Renders a report: a row for each network, a column for each inner step.

    Args:
        report: `tfmgaug.analysis.SubnetworkReport`.

    Returns:
        Lines of text: mean ± 95 % interval over tasks (Student's t).
    """
    scale, digits = (100, 1) if report.metric == "accuracy" else (1, 3)
    shown = _shown_steps(report.steps)
    head = ["", "pruned", *(f"step {step}" for step in shown)]
    rows = [head]
    for number, network in enumerate(report.networks):
        cells = [report.summary(number, step) for step in shown]
        rows.append(
            [
                network.name,
                f"{100 * network.pruned:.3g} %",
                *(f"{scale * c.mean:.{digits}f} ± {scale * c.interval:.{digits}f}" for c in cells),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = [
        "   ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))])
        for row in rows
    ]
    return "\n".join([_title(report), *(line.rstrip() for line in lines)])


def _shown_steps(steps, limit=9):
    """All steps, or every n-th and the last where a line would be too long."""
    every = -(-steps // (limit - 1)) if steps else 1
    return sorted({*range(0, steps + 1, every), steps})


def _title(report):
    shape = f", {report.way}-way {report.shot}-shot" if report.way else ""
    exclusive = "" if report.mutually_exclusive in (True, None) else ", non-mutually-exclusive"
    unit = " (%)" if report.metric == "accuracy" else ""
    labels = ", mask reads query labels" if report.reads_query_labels else ""
    return (
        f"{report.name}: query {report.metric}{unit} on {report.dataset}{shape}{exclusive}, "
        f"mean ± 95 % interval over {report.tasks} tasks, {report.statistics} statistics{labels}"
    )
