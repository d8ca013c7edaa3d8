"""The order of the gap in the weights kept, against all of them (Theorem 1)."""

import math

import numpy as np

from launch.analyses import result
from tfmgaug import analysis

_NOTE = (
    "k counts what a sparse phase keeps, biases and normalization included; R is the norm of the "
    "weights. G, H and B are not known of a network: at 1 they are left out, and only the ratio of "
    "the two orders means something."
)


def analyze(runs, *, bound_of_loss: float = 1.0, **constants):
    """Computes the order for every run, from its rates and the tasks that it was trained on.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        bound_of_loss: bound B of the loss. (Not known; 1 leaves it out.)
        **constants: of `tfmgaug.analysis.capacity_order`.

    Returns:
        A `Result`.

    Raises:
        ValueError: an argument is out of range, or a run's learner learns no weights over tasks.
    """

    def order(run):
        result.check_learned_over_tasks(run, "Theorem 1")
        learner, saved = run.learner, run.saved
        sizes = _sizes_of_learned_weights(learner)
        mask = learner.magnitude_mask
        rates = [np.max(rate) for rate in learner.inner_rates().values()]
        return analysis.capacity_order(
            sum(sizes) - (0 if mask is None else mask.num_pruned),
            sum(sizes),
            tasks=saved["epochs"] * saved["steps_per_epoch"] * saved["tasks"],
            radius=math.sqrt(run.squared_norm),
            inner_rate=float(max(rates, default=0.0)),
            bound=bound_of_loss,
            **constants,
        )

    return result.of_each(runs, map(order, runs), _NOTE)


def _sizes_of_learned_weights(learner):
    # CAVIA's context adapts, but is not learned over tasks.
    learned = learner.named(learner.method_variables)
    weights = [weight for name, weight in learner.network.variables.items() if name in learned]
    return [math.prod(weight.shape) for weight in weights]
