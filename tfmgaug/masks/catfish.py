"""Catfish pruning (CP): a mask of the weights with the highest memorization scores."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.masks.mask import Mask, Subnetwork, prune_top


@keras.saving.register_keras_serializable("tfmgaug")
class CatfishMask(Mask):
    """Prunes the entries with the highest meta-memorization carrying amount (MMCA).

    `MMCA_j = |dL(theta; D_query) / dtheta_j * theta_j|`; in each layer, the `floor(rate * n)`
    highest are pruned, ties by index.

    Args:
        rates: share of the entries, or (low, high); see `Mask`. The authors' code uses
            (0.001, 0.02) for FOMAML, the default here, and (0.01, 0.03) for ProtoNet.
        score: which gradient makes the score. "query_loss": of the query loss at the weights before
            adaptation (the paper, Eq. 5). "meta_gradient": the full network's meta-gradient of the
            task. (The authors' code for FOMAML reads a buffer that still holds those of the
            batch's earlier tasks and of their sub-networks: only the first task is scored by its
            own. For ProtoNet it takes a fresh gradient for each task.)
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: `score` is unknown or a rate out of range.

    Example:
        >>> MGAug(CatfishMask(rates=(0.001, 0.02)), subnetworks=3)

    Reference:
        Wang et al., MGAug, Section 4.1, Eqs. 5 and 6. (The text before Eq. 6 bounds the kept share
        by the rate: an erratum. The authors' code keeps the scores that are at most the k-th
        largest, `k = int(rate * n)`, and so prunes `k - 1` entries of a layer, and none at k = 1.)
    """

    def __init__(
        self,
        rates: float | Sequence[float] = (0.001, 0.02),
        score: Literal["query_loss", "meta_gradient"] = "query_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(rates, **kwargs)
        if score not in ("query_loss", "meta_gradient"):
            raise ValueError(
                f"`score` must be 'query_loss' or 'meta_gradient'. Received: score={score!r}."
            )
        self.score = score

    def draw(self, weights: Params, gradients: Params | None, subnetwork: Subnetwork) -> Params:
        return {
            name: prune_top(tf.abs(gradients[name] * weights[name]), subnetwork.rate)
            for name in self.prunable
        }
