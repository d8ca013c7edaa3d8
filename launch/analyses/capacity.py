"""Network pruning, Theorem 1: the order of the gap in the weights kept, against all of them."""

import math

import numpy as np

from launch.analyses import result
from tfmgaug import analysis

_NOTE = (
    "k counts what a sparse phase keeps, biases and normalization included; R is the norm of the "
    "weights. G, H and B are not known of a network: at 1 they are left out, and only the ratio of "
    "the two orders means something."
)


def analyze(runs, options):
    """Computes the order for every run, from its rates and the tasks that it was trained on.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.

    Raises:
        ValueError: an argument is out of range, or a run's learner learns no weights over tasks.
    """
    return result.of_each(runs, [_order(run, options) for run in runs], _NOTE)


def _order(run, options):
    result.check_learned_over_tasks(run, "Theorem 1")
    learner, saved = run.learner, run.saved
    # CAVIA's context adapts, but is not learned over tasks.
    learned = learner.named(learner.method_variables)
    weights = [weight for name, weight in learner.network.variables.items() if name in learned]
    parameters = sum(math.prod(variable.shape) for variable in weights)
    mask = learner.magnitude_mask
    rates = [np.max(rate) for rate in learner.inner_rates().values()]
    return analysis.capacity_order(
        parameters - (0 if mask is None else mask.num_pruned),
        parameters,
        tasks=saved["epochs"] * saved["steps_per_epoch"] * saved["tasks"],
        radius=math.sqrt(run.squared_norm),
        inner_rate=float(max(rates, default=0.0)),
        lipschitz=options.lipschitz,
        smoothness=options.smoothness,
        bound=options.bound_of_loss,
        delta=options.delta,
    )
