"""Figure 2: the distribution of MMCA scores, with the share that catfish pruning takes."""

from launch.analyses import result
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures


def analyze(runs, options):
    """Measures every run, a panel each; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several rates.
    """
    rates = options.rates or [0.2]
    if len(rates) != 1:
        raise ValueError(f"--rates must be one rate for this analysis. Received: {rates}.")
    found = averaged(_measure(run, float(rates[0]), options) for run in runs)
    return result.Result(
        "\n".join(_line(one, options.layer) for one in found),
        [one.to_json() for one in found],
        figures.importance_histogram(*found, layer=options.layer),
    )


def _measure(run, rate, options):
    mask = run.learner.augmentation and run.learner.augmentation.mask
    return analysis.importance(
        run.learner,
        run.sampler,
        rate,
        score=getattr(mask, "score", None) or "query_loss",
        episodes=options.episodes or 100,
        name=run.name,
        progress=result.counted(run.name),
    )


def _line(found, layer):
    carried = found.carried("pruned", layer)
    return (
        f"{found.name}, {found.layers[found.number(layer)]}: the highest {100 * found.rate:.4g} % "
        f"of the weights carry {100 * carried.mean:.1f} ± {100 * carried.interval:.1f} % of the "
        f"MMCA ({carried.episodes} tasks of {found.dataset})"
    )
