"""Sub-networks of one task, pruned as MGAug prunes them in training."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from tfmgaug.analysis.subnetwork_report import Network
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params
from tfmgaug.engine.prediction import outcomes_per_step
from tfmgaug.episode import Episode
from tfmgaug.masks.mask import Mask, Subnetwork, at_rate
from tfmgaug.randomness import fold, key
from tfmgaug.types import Learner, Tensor


def attached(mask: Mask, learner: Learner) -> Mask:
    """Copies a mask and attaches the copy to a learner: the given one may serve another learner.

    Args:
        mask: `tfmgaug.masks.Mask`.
        learner: `MetaLearner`.

    Returns:
        A `Mask`.
    """
    copy = type(mask).from_config(mask.get_config())
    copy.attach(learner.network, learner.classifier)
    return copy


def scoring_gradients(
    learner: Learner, mask: Mask, theta: Params, episode: Episode
) -> Params | None:
    """Computes the gradients that a mask scores weights by, at the weights before adaptation.

    They come from the query loss, and so from the queries' labels.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, whose `score` says which gradients.
        theta: the meta-learned parameters, by name.
        episode: `Episode` of one task.

    Returns:
        Gradients by the names of the network's weights, or None if the mask reads none.

    Raises:
        ValueError: the mask reads meta-gradients in the weights, and the learner has none.
    """
    if mask.score is None:
        return None
    if mask.score == "meta_gradient":
        learner.check_score(mask)
        return learner.task_gradient(theta, episode, learner.training_context(episode)).gradients
    return learner.weight_gradient(theta, episode)[0]


def draw(
    learner: Learner,
    mask: Mask,
    theta: Params,
    gradients: Params | None,
    rate: Tensor,
    episode: Episode,
    seed: int,
) -> Params:
    """Draws a task's masks; higher rates prune what lower ones prune, and more.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, attached to the learner.
        theta: the meta-learned parameters, by name.
        gradients: from `scoring_gradients`.
        rate: float64 scalar in [0, 1).
        episode: `Episode` of the task.
        seed: int, of random masks.

    Returns:
        Masks by the names of the weights that can be pruned.
    """
    with learner.scope(theta):
        weights = learner.network.params
    drawn_with = fold(key(seed), "analysis", episode.index)
    subnetwork = Subnetwork(tf.constant(0), episode.index, rate, drawn_with)
    return mask.drawn(weights, gradients, subnetwork)


def pruning(mask: Mask, masks: Params) -> Callable[[Params], Params]:
    """Returns the function from weights to pruned weights that a `Context` takes."""
    return functools.partial(mask, masks=masks)  # type: ignore[misc]


def shares_pruned(learner: Learner, mask: Mask, rates: Sequence[float]) -> list[float]:
    """Measures which share of the entries that a mask may prune goes at each rate.

    Less than the rate where a layer is too small for it: `floor(rate * n)` of n entries go.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, attached to the learner.
        rates: list of floats.

    Returns:
        A list of floats.
    """
    weights = learner.network.params
    shares = []
    for rate in rates:
        # How many entries go depends on the rate alone, not on which gradients score them.
        drawn = [
            np.asarray(mask_of_layer)
            for mask_of_layer in mask.drawn(weights, weights, at_rate(rate)).values()
        ]
        kept = sum(np.sum(mask_of_layer, dtype=np.float64) for mask_of_layer in drawn)
        shares.append(float(1 - kept / sum(mask_of_layer.size for mask_of_layer in drawn)))
    return shares


def checked_rates(rates: Sequence[float] | float) -> tuple[float, ...]:
    """Returns pruning rates as a tuple of floats.

    Raises:
        ValueError: one is outside (0, 1), or stands there twice.
    """
    rates = (rates,) if isinstance(rates, (int, float)) else tuple(rates)
    if not all(0 < rate < 1 for rate in rates) or len(set(rates)) < len(rates):
        raise ValueError(
            "`rates` must be different shares with 0 < rate < 1: the full network is always "
            f"measured. Received: rates={rates}."
        )
    return tuple(float(rate) for rate in rates)


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
    gradients = scoring_gradients(learner, mask, theta, episode)

    def measure(rate):
        masks = draw(learner, mask, theta, gradients, rate, episode, seed)
        context = Context(pruning(mask, masks), statistics)
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
    shares = shares_pruned(learner, mask, rates)
    pruned = [Network(f"{100 * r:.4g} % pruned", r, share) for r, share in zip(rates, shares)]
    return (Network("full network", 0.0, 0.0), *pruned)
