"""Sub-networks of one task, pruned as MGAug prunes them in training."""

import functools

import numpy as np
import tensorflow as tf

from tfmgaug.randomness import fold, key


def attached(mask, learner):
    """Copies a mask and attaches the copy to a learner: the given one may serve another learner.

    Args:
        mask: `tfmgaug.masks.Mask`.
        learner: `MetaLearner`.

    Returns:
        A `Mask`.
    """
    copy = type(mask).from_config(mask.get_config())
    copy.attach(learner.backbone, learner.classifier)
    return copy


def scoring_gradients(learner, mask, theta, episode):
    """Computes the gradients that a mask scores weights by, at the weights before adaptation.

    They come from the query loss, and so from the queries' labels.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, whose `score` says which gradients.
        theta: list of tensors aligned with `learner.meta_variables`.
        episode: `Episode` of one task.

    Returns:
        A list aligned with the backbone's trainable variables, or None if the mask reads none.

    Raises:
        ValueError: the mask reads meta-gradients in the weights, and the learner has none.
    """
    if mask.score is None:
        return None
    if mask.score == "meta_gradient":
        learner.check_score(mask)
        return learner.in_weights(learner.meta_gradient(theta, episode)[0])
    return learner.weight_gradient(theta, episode)[0]


def draw(learner, mask, theta, gradients, rate, episode, seed):
    """Draws a task's masks; higher rates prune what lower ones prune, and more.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, attached to the learner.
        theta: list of tensors aligned with `learner.meta_variables`.
        gradients: from `scoring_gradients`.
        rate: float64 scalar in [0, 1).
        episode: `Episode` of the task.
        seed: int, of random masks.

    Returns:
        A list aligned with the backbone's trainable variables; None stands where nothing is ever
        pruned.
    """
    weights = learner.weights_in(theta)
    own_key = fold(key(seed), "analysis", episode.index)
    return mask.draw(weights, gradients, rate, own_key)


def pruning(mask, masks):
    """Returns the function from weights to pruned weights that `adapt_state` takes as `prune`."""
    return functools.partial(mask, masks=masks)


def shares_pruned(learner, mask, rates):
    """Measures which share of the entries that a mask may prune goes at each rate.

    Less than the rate where a layer is too small for it: `floor(rate * n)` of n entries go.

    Args:
        learner: `MetaLearner`.
        mask: `Mask`, attached to the learner.
        rates: list of floats.

    Returns:
        A list of floats.
    """
    weights = [tf.convert_to_tensor(variable) for variable in learner.backbone.trainable_variables]
    shares = []
    for rate in rates:
        # How many entries go depends on the rate alone, not on which gradients score them.
        masks = mask.draw(weights, weights, tf.constant(rate, tf.float64), key(0))
        drawn = [np.asarray(one) for one in masks if one is not None]
        kept = sum(np.sum(one, dtype=np.float64) for one in drawn)
        shares.append(float(1 - kept / sum(one.size for one in drawn)))
    return shares


def checked_rates(rates):
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
