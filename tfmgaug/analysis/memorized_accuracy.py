"""The hat graph's numbers: accuracy of a network and its pruned sub-networks."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.analysis import subnetworks
from tfmgaug.analysis.frozen_tasks import over_tasks
from tfmgaug.analysis.subnetwork_report import Network, SubnetworkReport
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params
from tfmgaug.engine.prediction import outcomes_per_step
from tfmgaug.episode import Episode
from tfmgaug.masks.mask import Mask
from tfmgaug.types import Learner, Tensor


def memorization(
    learner: Learner,
    sampler: Any,
    mask: Mask,
    rates: Sequence[float] | float = (0.001, 0.005, 0.01, 0.02, 0.05),
    episodes: int = 100,
    statistics: str | None = None,
    seed: int = 0,
    name: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SubnetworkReport:
    """Measures a network and its sub-networks on the same tasks, per inner step.

    For each task, masks are drawn at the weights before adaptation, one for each rate, and held
    through the inner steps. Catfish masks are scored by the gradient of the query loss, which
    READS THE QUERIES' LABELS: their bars show what pruning does to memory, not what a deployed
    model achieves. Random masks read nothing, and a higher rate prunes what a lower one prunes.

    A network that knows its answers by heart is above chance at step 0; where pruning a little
    costs much and adaptation gets it back slowly, memory was what it relied on.

    Args:
        learner: `MetaLearner`. One without inner steps (ProtoNet) has a single column, and nothing
            is said about memory before adaptation.
        sampler: `EpisodeSampler` of mutually exclusive tasks or others, or a `SinusoidSampler`.
        mask: `CatfishMask`, `ParameterMask` or `WidthMask`, whose own rates are not used.
        rates: list of floats in (0, 1), pruning rates. The full network is always measured.
        episodes: int >= 2, how many tasks.
        statistics: batch-statistics mode of the queries; None: the learner's own. One of
            "transductive", "support", "running" and "one_by_one".
        seed: int >= 0, seed of random masks.
        name: of the report; by default the learner's class.
        progress: called with (tasks done, tasks) after each batch.

    Returns:
        A `SubnetworkReport`.

    Raises:
        ValueError: an argument is out of range, or the backbone can't be pruned by this mask.

    Example:
        >>> tasks = tfmgaug.data.EpisodeSampler(test, way=5, shot=1, query=15, tasks=20)
        >>> report = memorization(learner, tasks, tfmgaug.masks.CatfishMask())
        >>> tfmgaug.figures.save(tfmgaug.figures.hat_graph(report), "hat.png")

    Reference:
        Wang et al., MGAug, Section 5.3 and Figure 4; Witt, 2019, Introducing hat graphs.
    """
    started = time.monotonic()
    rates = subnetworks.checked_rates(rates)
    mode = batch_statistics.check_mode(statistics or learner.statistics)
    mask = subnetworks.attached(mask, learner)
    steps = learner.evaluation_steps

    def task(theta, episode):
        return per_network(learner, mask, rates, theta, episode, steps, mode, seed)

    arrays, tasks = over_tasks(learner, task, outputs(learner), sampler, episodes, progress)
    return SubnetworkReport(
        name=name or type(learner).__name__,
        networks=networks(learner, mask, rates),
        mask=type(mask).__name__,
        reads_query_labels=mask.score is not None,
        statistics=mode,
        loss=arrays["loss"],
        accuracy=arrays.get("accuracy"),
        seconds=time.monotonic() - started,
        **tasks,
    )


def per_network(
    learner: Learner,
    mask: Mask,
    rates: Sequence[float],
    theta: Params,
    episode: Episode,
    steps: int,
    statistics: str,
    seed: int,
) -> dict[str, Tensor]:
    """Measures the full network and one sub-network a rate on one task.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, attached to the learner.
        rates: tuple of floats.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.
        steps: int >= 0, inner steps.
        statistics: a mode.
        seed: int, of random masks.

    Returns:
        A dictionary of float32 tensors `[1 + rates, steps + 1]`.
    """
    gradients = subnetworks.scoring_gradients(learner, mask, theta, episode)

    def measure(rate):
        masks = subnetworks.draw(learner, mask, theta, gradients, rate, episode, seed)
        context = Context(subnetworks.pruning(mask, masks), statistics)
        return outcomes_per_step(learner, episode, steps, context)

    # Rate 0 prunes nothing: the full network goes through the body that is traced for all.
    return tf.map_fn(
        measure,
        tf.constant([0.0, *rates], tf.float64),
        fn_output_signature=outputs(learner),
        parallel_iterations=1,
    )


def outputs(learner: Learner) -> dict[str, tf.DType]:
    """Returns the names and dtypes of what is measured."""
    names = ["loss", "accuracy"] if learner.classification else ["loss"]
    return dict.fromkeys(names, tf.float32)


def networks(learner: Learner, mask: Mask, rates: Sequence[float]) -> tuple[Network, ...]:
    """Describes the full network and one sub-network a rate, as a tuple of `Network`s."""
    shares = subnetworks.shares_pruned(learner, mask, rates)
    pruned = [Network(f"{100 * r:.4g} % pruned", r, share) for r, share in zip(rates, shares)]
    return (Network("full network", 0.0, 0.0), *pruned)
