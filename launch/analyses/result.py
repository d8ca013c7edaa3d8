"""What an analysis hands back, and how its progress is shown."""

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
    text = "\n\n".join(map(table, reports))
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
