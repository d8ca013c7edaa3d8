"""The landscape of runs: over epochs, against accuracy, or of several trained runs."""

from launch.analyses import result
from tfmgaug import analysis, figures
from tfmgaug.analysis.landscape_report import PREFIX
from tfmgaug.figures.landscape import PROPERTIES, performance_of, points


def analyze(runs, options):
    """Draws what runs measured as they were trained (--landscape_every), or measures them now.

    With --plot=curves, each metric over epochs; with correlation, accuracy against each property, a
    point an epoch; with runs, the same with a point for every run, which is measured as it is after
    training. Runs of one name share a curve or a color.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are runs without measurements.
    """
    if options.plot == "runs":
        return _of_trained(runs, options)
    histories = {}
    for run in runs:
        rows = [row for row in run.history if f"{PREFIX}support_loss" in row]
        if not rows:
            raise ValueError(
                f"{run.path} was trained without --landscape_every: there is nothing to draw. "
                "--plot=runs measures it as it is after training."
            )
        histories.setdefault(run.name, []).append(rows)
    draw = {
        "curves": figures.landscape_curves,
        "correlation": figures.landscape_correlation,
    }[options.plot]
    return _result(histories, draw(histories), "over epochs")


def _of_trained(runs, options):
    reports, histories = [], {}
    for run in runs:
        report = analysis.landscape(
            run.learner,
            run.sampler,
            options.episodes or 60,
            result.counted(run.name),
            steps=options.steps,
            statistics=options.statistics,
            seed=options.seed,
            name=run.name,
        )
        reports.append(report)
        histories.setdefault(run.name, []).append([{"epoch": 0, **report.logs(PREFIX)}])
    found = _result(histories, figures.landscape_correlation(histories), "over runs")
    return result.Result(
        "\n".join([*map(str, reports), found.text]),
        [*(report.to_json(per_task=False) for report in reports), *found.results],
        found.figure,
    )


def _result(histories, figure, over):
    """Correlations of each name's points, and of all together where there are several."""
    groups = dict(histories) if over == "over epochs" else {}
    if len(histories) > 1 or not groups:
        groups["all"] = [run for runs in histories.values() for run in runs]
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
