"""Untrained networks in the place of trained ones."""

from collections.abc import Sequence

import keras
import numpy as np

from tfmgaug.engine.params import by_name
from tfmgaug.types import Learner


def random_weights(backbone: keras.Model, seed: int | Sequence[int]) -> dict[str, np.ndarray]:
    """Draws the weights of a backbone anew, by the initializers of its layers.

    Args:
        backbone: functional `keras.Model`.
        seed: int >= 0, or several.

    Returns:
        Arrays by the names of the weights.
    """
    # A copy has the same weights in the same order, and may count the names of its layers anew.
    drawn = _redrawn(backbone, seed).trainable_variables
    pairs = zip(by_name(backbone.trainable_variables), drawn, strict=True)
    return {name: variable.numpy() for name, variable in pairs}


def untrained_network(learner: Learner, seed: int | Sequence[int]) -> dict[str, np.ndarray]:
    """Draws anew what training has made of a learner's network.

    The backbone's weights come from `random_weights`. A learner that doesn't leave them to the
    layers' initializers (a Meta-ticket's random weights and scores) draws its own again.

    Args:
        learner: `MetaLearner`.
        seed: int >= 0, or several.

    Returns:
        Arrays by the names of `learner.network_variables`.
    """
    if learner.learns_weights:
        return random_weights(learner.backbone, seed)
    config = {**learner.get_config(), "seed": int(np.random.default_rng(seed).integers(2**31))}
    fresh = type(learner).from_config(config)
    # A learner of the same class and configuration: the same variables in the same order.
    pairs = zip(learner.named(learner.network_variables), fresh.network_variables, strict=True)
    return {name: keras.ops.convert_to_numpy(variable) for name, variable in pairs}


def _redrawn(backbone, seed):
    draws = np.random.default_rng(seed)

    def fresh(layer):
        return type(layer).from_config(_reseeded(layer.get_config(), draws))

    return keras.models.clone_model(backbone, clone_function=fresh, recursive=True)


def _reseeded(config, draws):
    """A layer's configuration with another seed wherever there is one."""
    if isinstance(config, dict):
        return {
            name: int(draws.integers(2**31)) if name == "seed" else _reseeded(value, draws)
            for name, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_reseeded(value, draws) for value in config)
    return config
