"""Figure 5: fine-tuning curves with memory, without, and from a random initialization."""

from launch.analyses import result
from launch.analyses.hat import measure
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures


def analyze(runs, options):
    """Measures every run with every mask, a panel each; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.
    """
    reports = averaged(
        measure(
            analysis.fine_tuning, run, mask, options, options.rates or [0.02], steps=options.steps
        )
        for run in runs
        for mask in run.masks(options)
    )
    return result.Result(
        "\n\n".join(map(result.table, reports)),
        [report.to_json() for report in reports],
        figures.fine_tuning_curves(*reports),
    )
