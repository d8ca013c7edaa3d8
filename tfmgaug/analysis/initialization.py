"""A network that has not been trained, in the place of one that has: what it knew before."""

import keras
import numpy as np


def random_weights(backbone, seed):
    """Draws the weights of a backbone anew, by the initializers of its layers.

    Args:
        backbone: functional `keras.Model`.
        seed: int >= 0, or several.

    Returns:
        A list of arrays aligned with `backbone.trainable_variables`.
    """
    return [variable.numpy() for variable in _redrawn(backbone, seed).trainable_variables]


def untrained_network(learner, seed):
    """Draws anew what training has made of a learner's network.

    The backbone's weights come from `random_weights`. A learner that doesn't leave them to the
    layers' initializers (a Meta-ticket's random weights and scores) draws its own again.

    Args:
        learner: `MetaLearner`.
        seed: int >= 0, or several.

    Returns:
        A list of arrays aligned with `learner.network_variables`.
    """
    if learner.learns_weights:
        return random_weights(learner.backbone, seed)
    config = {**learner.get_config(), "seed": int(np.random.default_rng(seed).integers(2**31))}
    fresh = type(learner).from_config(config)
    # A learner of the same class and configuration: the same variables in the same order.
    return [keras.ops.convert_to_numpy(variable) for variable in fresh.network_variables]


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
