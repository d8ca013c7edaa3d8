"""Random parameter pruning (PP): a mask of weights drawn at random."""

from collections.abc import Sequence
from typing import Any

import keras

from tfmgaug.engine.params import Params
from tfmgaug.masks.mask import Mask, Subnetwork, prune_top
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

    def __init__(self, rates: float | Sequence[float] = (0.0, 0.2), **kwargs: Any) -> None:
        super().__init__(rates, **kwargs)

    def draw(self, weights: Params, gradients: Params | None, subnetwork: Subnetwork) -> Params:
        # Keyed by where a weight stands, so that renaming a layer changes no draw.
        keys = {n: fold(subnetwork.key, "mask", place) for place, n in enumerate(weights)}
        return {
            name: prune_top(uniform(weights[name].shape, keys[name]), subnetwork.rate)
            for name in self.prunable
        }
