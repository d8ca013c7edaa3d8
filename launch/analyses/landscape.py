"""Curvature, trajectories and gradients, and what goes along with accuracy."""

from typing import Literal

from launch.analyses import result
from tfmgaug import analysis, figures
from tfmgaug.analysis.loss_landscape.figure import PROPERTIES, performance_of, points
from tfmgaug.analysis.loss_landscape.report import PREFIX


def analyze(
    runs,
    *,
    plot: Literal["curves", "correlation", "runs"] = "curves",
    episodes: int = 60,
    steps: int | None = None,
    statistics: Literal["transductive", "support", "running", "one_by_one"] | None = None,
    seed: int = 0,
):
    """Draws what runs measured as they were trained (--landscape_every), or measures them now.

    Runs of one name share a curve or a color.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        plot: what is drawn: each metric over epochs (curves); accuracy against each property, a
            point an epoch (correlation); or the same with a point for every run, which is measured
            as it is after training (runs).
        episodes: int >= 3, how many tasks. For `plot="runs"`, as all below.
        steps: int >= 1, inner steps; None: those of the learner's evaluation.
        statistics: batch-statistics mode of the queries; None: the learner's own.
        seed: int >= 0, seed of what Lanczos iteration starts from.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are runs without measurements.
    """
    if plot == "runs":
        return _of_trained(runs, episodes, steps=steps, statistics=statistics, seed=seed)
    histories = {}
    for run in runs:
        rows = [row for row in run.history if f"{PREFIX}support_loss" in row]
        if not rows:
            raise ValueError(
                f"{run.path} was trained without --landscape_every: there is nothing to draw. "
                "--plot=runs measures it as it is after training."
            )
        histories.setdefault(run.name, []).append(rows)
    draw = figures.landscape_curves if plot == "curves" else figures.landscape_correlation
    return _result(histories, draw(histories), "over epochs")


def _of_trained(runs, episodes, **measurement):
    reports, histories = [], {}
    for run in runs:
        report = analysis.landscape(
            run.learner,
            run.sampler,
            episodes,
            result.counted(run.name),
            name=run.name,
            **measurement,
        )
        reports.append(report)
        histories.setdefault(run.name, []).append([{"epoch": 0, **report.logs(PREFIX)}])
    figure = figures.landscape_correlation(histories, pooled=True)
    together = _result(histories, figure, "over runs")
    return result.Result(
        "\n".join([*map(str, reports), together.text]),
        [*(report.to_json(per_task=False) for report in reports), *together.results],
        together.figure,
    )


def _result(histories, figure, over):
    """Correlations of each name's points, and of all together where there are several."""
    groups = dict(histories) if over == "over epochs" else {}
    if len(histories) > 1 or not groups:
        groups["all (points pooled)"] = [run for runs in histories.values() for run in runs]
    lines, rows = [f"Correlation with performance {over}, Pearson's r and Spearman's rho:"], []
    performance = performance_of(histories)
    for name, runs in groups.items():
        for metric in PROPERTIES:
            x, y = points(runs, metric, performance)
            r, rho = analysis.pearson(x, y), analysis.spearman(x, y)
            if r.points:
                lines.append(f"  {name}, {metric}: {r}, {rho} ({r.points} points)")
                correlations = {"pearson": r.to_json(), "spearman": rho.to_json()}
                rows.append({"name": name, "metric": metric, **correlations})
    return result.Result("\n".join(lines), rows, figure)
