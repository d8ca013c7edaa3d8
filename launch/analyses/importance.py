"""Distribution of memory over weights: MMCA scores, and the share pruned (Figure 2)."""

from launch.analyses import result
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures


def analyze(runs, *, rates: list[float] = (0.2,), layer: str | None = None, **measurement):
    """Measures every run, a panel each; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        rates: list of floats in (0, 1), pruning rates. Only one.
        layer: name of the layer that is shown; the last that can be pruned by default.
        **measurement: of `tfmgaug.analysis.importance`.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several rates.
    """
    if len(rates) != 1:
        raise ValueError(f"--rates must be one rate for this analysis. Received: {list(rates)}.")
    distributions = averaged(
        analysis.importance(
            run.learner,
            run.sampler,
            rates[0],
            score=_score(run),
            name=run.name,
            progress=result.counted(run.name),
            **measurement,
        )
        for run in runs
    )
    return result.Result(
        "\n".join(_line(distribution, layer) for distribution in distributions),
        [distribution.to_json() for distribution in distributions],
        figures.importance_histogram(*distributions, layer=layer),
    )


def _score(run):
    """The score that the run's own mask prunes by, that of the query loss without."""
    mask = run.learner.augmentation and run.learner.augmentation.mask
    return getattr(mask, "score", None) or "query_loss"


def _line(distribution, layer):
    carried = distribution.carried("pruned", layer)
    return (
        f"{distribution.name}, {distribution.layers[distribution.number(layer)]}: the highest "
        f"{100 * distribution.rate:.4g} % of the weights carry {100 * carried.mean:.1f} ± "
        f"{100 * carried.interval:.1f} % of the MMCA ({carried.episodes} tasks of "
        f"{distribution.dataset})"
    )
