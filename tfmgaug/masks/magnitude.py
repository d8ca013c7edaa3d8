"""Magnitude pruning: a mask of the smallest weights, which a schedule switches on and off."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug.configured import Settled, arguments_of
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params, read
from tfmgaug.masks.mask import apply, number_pruned, prune_top


@keras.saving.register_keras_serializable("tfmgaug")
class MagnitudeMask(Settled, keras.layers.Layer):
    """Prunes the entries of smallest magnitude, and remembers which.

    Of the n entries of each layer's kernel, the `n - floor(rate * n)` of largest magnitude are
    kept; of equal ones those with the higher index. The classifier's kernel is pruned too; biases
    and normalization never are.

    The mask is switched on by `prune` and off by `release`, which `tfmgaug.callbacks.DSD` and `IHT`
    do. While it is on, it holds in every forward pass, in training, evaluation and export: pruned
    entries are zero, have no gradient and stay zero. It is saved with the learner.

    Args:
        rates: share of the entries, in [0, 1): one number for all layers, or a list with one for
            each layer, in the order of the backbone's kernels.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: a rate is outside [0, 1).

    Example:
        >>> learner = Reptile(backbone, magnitude_mask=MagnitudeMask(0.4))
        >>> learner.fit(..., callbacks=[DSD(dense=30_000, sparse=60_000)])

    Reference:
        Tian et al., Meta-Learning with Network Pruning, 2020, https://arxiv.org/abs/2007.03219,
        Algorithm 1.
    """

    def __init__(self, rates: float | Sequence[float], **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        self.rates = float(rates) if isinstance(rates, (int, float)) else list(map(float, rates))
        shares = self.rates if isinstance(self.rates, list) else [self.rates]
        if not shares or not all(0 <= rate < 1 for rate in shares):
            raise ValueError(
                "`rates` must be a share, or one for each layer, with 0 <= rate < 1. "
                f"Received: rates={rates}."
            )
        self._network: Network | None = None
        self.built = True

    def attach(self, network: Network) -> None:
        """Makes the mask of a network, which prunes nothing at first.

        Args:
            network: `Network`.

        Raises:
            ValueError: there is another number of rates than of kernels, or this mask belongs to
                another learner.
        """
        if self._network is not None:
            raise ValueError("A MagnitudeMask serves one learner: build another for the next.")
        self._network = network
        self._names = [name for name, v in network.variables.items() if len(v.shape) > 1]
        self._rates = self._per_kernel()
        fixed = {"trainable": False, "aggregation": "only_first_replica"}
        for name in self._names:
            self.add_weight(
                shape=network.variables[name].shape,
                dtype="uint8",
                initializer="ones",
                name=f"{name}_mask",
                **fixed,
            )
        self.phase = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", name="phase", **fixed
        )

    def _per_kernel(self) -> dict[str, float]:
        rates = self.rates if isinstance(self.rates, list) else [self.rates] * len(self._names)
        if len(rates) != len(self._names):
            raise ValueError(
                f"`rates` must be one for each of the {len(self._names)} kernels {self._names}. "
                f"Received: {len(rates)}, {rates}."
            )
        return dict(zip(self._names, rates))

    # Keras would save a dictionary of variables a second time.
    @property
    def masks(self) -> list[keras.Variable]:
        """The mask of each kernel: variables of zeros and ones shaped like it."""
        return self.non_trainable_variables[: len(self._names)]

    @property
    def _masks(self) -> dict[str, keras.Variable]:
        return dict(zip(self._names, self.masks))

    def call(self, weights: Params) -> Params:
        return apply(weights, read(self._masks))

    def prune(self) -> None:
        """Switches the mask on: finds the entries of smallest magnitude and sets them to zero."""
        for name, mask in self._masks.items():
            magnitudes = tf.abs(tf.convert_to_tensor(self._network.variables[name]))
            # tf.cast would take a float through float32.
            kept = prune_top(-magnitudes, tf.constant(self._rates[name], tf.float64))
            mask.assign(tf.cast(kept, tf.uint8))
        self.apply()

    def release(self) -> None:
        """Switches the mask off: pruned entries may move again, from zero."""
        for mask in self.masks:
            mask.assign(tf.ones_like(tf.convert_to_tensor(mask)))

    @property
    def num_pruned(self) -> int:
        """The number of entries that are zero while the mask is on."""
        return sum(
            int(number_pruned(tf.constant(self._rates[name], tf.float64), mask.numpy().size))
            for name, mask in self._masks.items()
        )

    def apply(self) -> None:
        """Sets the weights that are pruned to zero."""
        for name, weight in self(self._network.params).items():
            if name in self._rates:
                self._network.variables[name].assign(weight)

    def sparsity(self) -> dict[str, float]:
        """Returns the share of each kernel that is pruned now, by the name of the weight."""
        shares = {n: 1 - tf.reduce_mean(tf.cast(m, tf.float64)) for n, m in self._masks.items()}
        return {name: float(share) for name, share in shares.items()}

    @property
    def kept(self) -> tuple[int, int]:
        """The number of entries that are kept now, and that of all, of the kernels."""
        masks = [tf.convert_to_tensor(mask) for mask in self.masks]
        kept = sum(int(tf.math.count_nonzero(mask)) for mask in masks)
        return kept, sum(mask.shape.num_elements() for mask in masks)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(self, MagnitudeMask)}
