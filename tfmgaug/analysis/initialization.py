"""Random weights for a backbone that has been trained: what it knew before it was."""

import keras
import numpy as np


def random_weights(backbone, seed):
    """Draws the weights of a backbone anew, by the initializers of its layers.

    Args:
        backbone: functional `keras.Model`.
        seed: int >= 0.

    Returns:
        A list of arrays aligned with `backbone.trainable_variables`.
    """
    draws = np.random.default_rng(seed)

    def fresh(layer):
        return type(layer).from_config(_reseeded(layer.get_config(), draws))

    copy = keras.models.clone_model(backbone, clone_function=fresh, recursive=True)
    return [variable.numpy() for variable in copy.trainable_variables]


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
