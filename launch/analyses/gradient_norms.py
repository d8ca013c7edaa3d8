"""Task gradients of each layer, over epochs and when trained (Figure 2)."""

import math

from launch.analyses import result
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures
from tfmgaug.analysis.task_gradients import DRAWN

_LOG = f"gradient_{DRAWN}/"
_EARLIER = "gradient_mean_absolute/"  # of version 0.1 alone: pruned entries count as zeros


def analyze(runs, *, layer: str | None = None, **measurement):
    """Measures every trained run, and draws what --gradient_norms_every measured in training.

    Runs of one name are averaged in the figure.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        layer: name of the weight that is shown over epochs; the last in front of the classifier by
            default.
        **measurement: of `tfmgaug.analysis.TaskGradients`.

    Returns:
        A `Result`.

    Raises:
        ValueError: there is no such layer, or only some of the runs were measured in training.
    """
    weights = [layer or analysis.last_feature_weight(run.learner) for run in runs]
    histories = [_measured_in_training(run, weight) for run, weight in zip(runs, weights)]
    _refuse_some_without(runs, weights, histories)
    reports = []
    for run in runs:
        measure = analysis.TaskGradients(run.learner, run.sampler, name=run.name, **measurement)
        reports.append(measure(result.counted(run.name)))
    histories_of_names = {}
    for run, rows in zip(runs, histories):
        histories_of_names.setdefault(run.name, []).append(rows)
    return result.Result(
        "\n".join(map(_line, runs, reports, weights, histories)),
        [
            {"run": str(run.path), "weight": weight, "epochs": rows, **report.to_json()}
            for run, weight, rows, report in zip(runs, weights, histories, reports)
        ],
        figures.gradient_norms(
            averaged(reports, named=False),
            histories_of_names if all(histories) else None,
            weights[0] if len(set(weights)) == 1 else "last layer of the features",
        ),
    )


def _measured_in_training(run, weight):
    return [
        {"epoch": row["epoch"], DRAWN: row[_LOG + weight]}
        for row in run.history
        if row.get(_LOG + weight) is not None
    ]


def _refuse_some_without(runs, weights, histories):
    if any(histories) and not all(histories):
        without = ", ".join(run.name for run, rows in zip(runs, histories) if not rows)
        raise ValueError(
            "Expected runs trained with --gradient_norms_every, or none of them. "
            f"Received without such measurements of {weights[0]}: {without}."
        )


def _line(run, report, weight, rows):
    now = report.summary(DRAWN, weight)
    text = (
        f"{report.name}, {weight}: mean absolute task gradient of kept entries {now.mean:.3g} ± "
        f"{now.interval:.2g} ({now.episodes} tasks of {report.dataset})"
    )
    values = [row[DRAWN] for row in rows]
    if values and math.isfinite(values[0]):
        text += f"; in training {values[0]:.3g} at first, {values[-1]:.3g} at last"
    if not rows and any(_EARLIER + weight in row for row in run.history):
        text += "; in training measured by version 0.1, over pruned entries too: not drawn"
    return text
