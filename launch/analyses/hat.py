"""Figure 4: the hat graph of accuracy per inner step, full network and sub-networks."""

from launch.analyses import result
from launch.analyses.runs import ABBREVIATIONS
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures
from tfmgaug.analysis.memorized_accuracy import RATES


def analyze(runs, options):
    """Measures every run with every mask, a panel each; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.
    """
    reports = averaged(
        measure(analysis.memorization, run, mask, options, options.rates or RATES)
        for run in runs
        for mask in run.masks(options)
    )
    return result.Result(
        "\n\n".join(map(result.table, reports)),
        [report.to_json() for report in reports],
        figures.hat_graph(*reports),
    )


def measure(function, run, mask, options, rates, **arguments):
    """Calls an analysis of networks and sub-networks on a run's tasks.

    Args:
        function: `tfmgaug.analysis.memorization` or `fine_tuning`.
        run: `launch.analyses.runs.Run`.
        mask: `Mask`.
        options: absl flags.
        rates: list of numbers, or of their text.
        **arguments: of the function.

    Returns:
        A `SubnetworkReport`.
    """
    name = f"{run.name}, {ABBREVIATIONS.get(type(mask).__name__, type(mask).__name__)}"
    return function(
        run.learner,
        run.sampler,
        mask,
        rates=[float(rate) for rate in rates],
        episodes=options.episodes or 100,
        statistics=options.statistics,
        seed=options.seed,
        name=name,
        progress=result.counted(name),
        **arguments,
    )
