"""Theorem 1: the PAC-Bayes bound, with all its arguments."""

import numpy as np

from launch.analyses import result
from tfmgaug import analysis

_NOTE = (
    "The empirical error is that of the pruned network after adaptation on training tasks. The "
    "theorem prunes all weights at one rate; masks leave biases, normalization and classifier "
    "alone, whose share of |w|^2 counts as pruned too."
)


def analyze(runs, options):
    """Computes the bound for every run, on tasks that it was trained on.

    The errors are those of the sub-network at the rate (of the full network at 0) after
    adaptation, T the number of tasks evaluated, m_t the queries of a task, which the error is the
    mean of; w_t the initial weights, and D(Q||P) that of two Gaussians of variance 1 around them
    and around zero, |w|^2 / 2, unless --divergence says otherwise.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several rates or masks, or a run is of regression, or of a learner
            that learns no weights over tasks.
    """
    for name in ("rates", "masks"):
        given = getattr(options, name)
        if given and len(given) != 1:
            raise ValueError(f"--{name} must be one. Received: {','.join(given)}.")
    return result.of_each(runs, [_bound(run, options) for run in runs], _NOTE)


def _bound(run, options):
    result.check_learned_over_tasks(run, "Theorem 1")
    (mask,) = run.masks(options)
    rate = _rate(run, mask, options)
    sampler = run.training_sampler
    report = analysis.memorization(
        run.learner,
        sampler,
        mask,
        rates=[rate] if rate else [],
        episodes=options.episodes or 100,
        statistics=options.statistics,
        seed=options.seed,
        name=run.name,
        progress=result.counted(run.name),
    )
    squared = run.squared_norm
    return analysis.pac_bayes_bound(
        1.0 - report.accuracy[:, -1, -1].astype(np.float64),
        samples=options.samples or sampler.way * sampler.query,
        squared_norms=squared,
        rate=rate,
        divergence=squared / 2 if options.divergence is None else options.divergence,
        delta=options.delta,
    )


def _rate(run, mask, options):
    if options.rates:
        return float(options.rates[0])
    # Without MGAug nothing was pruned in training.
    pruned = options.masks or run.learner.augmentation is not None
    return mask.rates[1] if pruned else 0.0
