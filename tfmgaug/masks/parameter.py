"""Random parameter pruning (PP)."""

import keras

from tfmgaug.masks.mask import Mask, prune_top
from tfmgaug.randomness import fold, uniform


@keras.saving.register_keras_serializable("tfmgaug")
class ParameterMask(Mask):
    """Prunes a uniformly drawn subset of each layer, of exactly `floor(rate * n)` entries.

    Args:
        rates: share of the entries, or (low, high); see `Mask`. The paper prints none: this default
            is ours.
        **kwargs: of `keras.layers.Layer`.

    Example:
        >>> MGAug(ParameterMask(rates=(0.0, 0.2)))

    Reference:
        Wang et al., MGAug, Section 4.1, "Random parameter pruning".
    """

    def __init__(self, rates=(0.0, 0.2), **kwargs):
        super().__init__(rates, **kwargs)

    def draw(self, weights, gradients, rate, key):
        return [
            prune_top(uniform(weight.shape, fold(key, "mask", n)), rate) if prunable else None
            for n, (weight, prunable) in enumerate(zip(weights, self.prunable))
        ]
