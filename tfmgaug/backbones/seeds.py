"""Seeds for the initial weights of each layer."""

import numpy as np


def layer_seeds(seed: int, layers: int) -> list[int]:
    """Derives an independent integer seed for every layer.

    Args:
        seed: int >= 0.
        layers: int, how many.

    Returns:
        A list of ints.
    """
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(layers) >> 1]
