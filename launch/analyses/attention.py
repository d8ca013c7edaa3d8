"""Figure 7: Grad-CAM of the full network and of pruned ones, side by side."""

from launch.analyses import result
from launch.analyses.runs import the_only
from tfmgaug import analysis, figures

_RATES = (0.005, 0.02, 0.05)


def analyze(runs, options):
    """Explains some queries of one task of one run.

    Args:
        runs: list of one `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several runs or masks, or the run is of regression.
    """
    run = the_only(runs)
    masks = run.masks(options)
    if len(masks) != 1:
        raise ValueError(f"Expected one mask. Received: --masks={','.join(options.masks)}.")
    found = analysis.attention(
        run.learner,
        run.sampler.episode(options.task),
        masks[0],
        rates=[float(rate) for rate in options.rates or _RATES],
        queries=options.queries,
        target=options.target,
        stage=options.stage,
        statistics=options.statistics,
        seed=options.seed,
        name=run.name,
    )
    hits = [(one.argmax(axis=-1) == found.labels).mean() for one in found.probabilities]
    text = "\n".join(
        f"{network.name}: {100 * share:.0f} % of the {len(found.labels)} queries shown are right"
        for network, share in zip(found.networks, hits)
    )
    described = {"run": str(run.path), "task": options.task, **found.to_json()}
    return result.Result(text, [described], figures.attention_grid(found))
