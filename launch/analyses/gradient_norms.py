"""Meta-ticket's Figure 2: what tasks ask of each layer, over epochs and when trained."""

import math

from launch.analyses import result
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures

_LOG = "gradient_mean_absolute/"


def analyze(runs, options):
    """Measures every trained run, and draws what --gradient_norms_every measured in training.

    Runs of one name are averaged in the figure.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: there is no such layer, or only some of the runs were measured in training.
    """
    weights = [options.layer or analysis.last_feature_weight(run.learner) for run in runs]
    rows = [_measured(run, weight) for run, weight in zip(runs, weights)]
    if any(rows) and not all(rows):
        without = ", ".join(run.name for run, own in zip(runs, rows) if not own)
        raise ValueError(
            "Expected runs trained with --gradient_norms_every, or none of them. "
            f"Received without such measurements of {weights[0]}: {without}."
        )
    measured = [_measure(run, options) for run in runs]
    text = [_line(report, weight, own) for report, weight, own in zip(measured, weights, rows)]
    histories = {}
    for run, own in zip(runs, rows):
        histories.setdefault(run.name, []).append(own)
    layer = weights[0] if len(set(weights)) == 1 else "last layer of the features"
    return result.Result(
        "\n".join(text),
        [
            {"run": str(run.path), "weight": weight, "epochs": own, **report.to_json()}
            for run, weight, own, report in zip(runs, weights, rows, measured)
        ],
        figures.gradient_norms(
            averaged(measured, named=False), histories if all(rows) else None, layer
        ),
    )


def _measured(run, weight):
    return [
        {"epoch": row["epoch"], "mean_absolute": row[_LOG + weight]}
        for row in run.history
        if row.get(_LOG + weight) is not None
    ]


def _measure(run, options):
    measure = analysis.TaskGradients(run.learner, run.sampler, options.episodes or 100, run.name)
    return measure(result.counted(run.name))


def _line(report, weight, rows):
    now = report.summary("mean_absolute", weight)
    text = (
        f"{report.name}, {weight}: mean absolute task gradient {now.mean:.3g} ± {now.interval:.2g} "
        f"({now.episodes} tasks of {report.dataset})"
    )
    values = [row["mean_absolute"] for row in rows]
    if values and math.isfinite(values[0]):
        text += f"; in training {values[0]:.3g} at first, {values[-1]:.3g} at last"
    return text
