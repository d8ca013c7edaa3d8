"""The PAC-Bayes bound, on tasks trained on (Theorem 1)."""

from typing import Literal

import numpy as np

from launch.analyses import result
from tfmgaug import analysis

_NOTE = (
    "The empirical error is that of the pruned network after adaptation on training tasks. The "
    "theorem prunes all weights at one rate; masks leave biases, normalization and classifier "
    "alone, whose share of |w|^2 counts as pruned too."
)


def analyze(
    runs,
    *,
    masks: list[Literal["catfish", "parameter", "width"]] | None = None,
    rates: list[float] | None = None,
    samples: int | None = None,
    divergence: float | None = None,
    delta: float = 0.05,
    **measurement,
):
    """Computes the bound for every run, on tasks that it was trained on.

    The errors are those of the sub-network at the rate (of the full network at 0) after
    adaptation, T the number of tasks evaluated, m_t the queries of a task, which the error is the
    mean of; w_t the initial weights, and D(Q||P) that of two Gaussians of variance 1 around them
    and around zero, |w|^2 / 2, unless `divergence` says otherwise.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        masks: how networks are pruned; None: as in training. Only one.
        rates: list of floats in (0, 1), pruning rates. One; by default the mask's highest, and
            without MGAug nothing is pruned.
        samples: int >= 2, samples of a task, m_t; its queries by default.
        divergence: float >= 0, D(Q||P); |w|^2 / 2 by default.
        delta: float in (0, 1), the probability with which the theorem may fail.
        **measurement: of `tfmgaug.analysis.memorization`.

    Returns:
        A `Result`.

    Raises:
        ValueError: there are several rates or masks, or a run is of regression, or of a learner
            that learns no weights over tasks.
    """
    for flag, entries in {"rates": rates, "masks": masks}.items():
        if entries and len(entries) != 1:
            received = ",".join(map(str, entries))
            raise ValueError(f"--{flag} must be one. Received: {received}.")

    def bound(run):
        result.check_learned_over_tasks(run, "Theorem 1")
        (mask,) = run.masks(masks)
        sampler, squared_norm = run.training_sampler, run.squared_norm
        rate = rates[0] if rates else _rate_of_training(run, mask, masks)
        report = analysis.memorization(
            run.learner,
            sampler,
            mask,
            rates=[rate] if rate else [],
            name=run.name,
            progress=result.counted(run.name),
            **measurement,
        )
        return analysis.pac_bayes_bound(
            1.0 - report.accuracy[:, -1, -1].astype(np.float64),
            samples=samples or sampler.way * sampler.query,
            squared_norms=squared_norm,
            rate=rate,
            divergence=squared_norm / 2 if divergence is None else divergence,
            delta=delta,
        )

    return result.of_each(runs, map(bound, runs), _NOTE)


def _rate_of_training(run, mask, masks):
    # Without MGAug nothing was pruned in training.
    return mask.rates[1] if masks or run.learner.augmentation is not None else 0.0
