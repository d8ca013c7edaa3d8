"""Magnitude mask: the smallest weights go, for as long as a schedule says."""

import keras
import tensorflow as tf

from tfmgaug.configured import Settled
from tfmgaug.masks.mask import number_pruned, prune_top


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

    def __init__(self, rates, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.rates = float(rates) if isinstance(rates, (int, float)) else list(map(float, rates))
        each = self.rates if isinstance(self.rates, list) else [self.rates]
        if not each or not all(0 <= rate < 1 for rate in each):
            raise ValueError(
                "`rates` must be a share, or one for each layer, with 0 <= rate < 1. "
                f"Received: rates={rates}."
            )
        self._size = None
        self.built = True

    def attach(self, backbone):
        """Learns the layout of a backbone's weights, and makes a mask that prunes nothing.

        Args:
            backbone: `keras.Model`.

        Raises:
            ValueError: there is another number of rates than of kernels, or this mask belongs to
                another learner.
        """
        if self._size is not None:
            raise ValueError("A MagnitudeMask serves one learner: build another for the next.")
        weights = backbone.trainable_variables
        self._size = len(weights)
        self._places = [place for place, v in enumerate(weights) if len(v.shape) > 1]
        self._names = [weights[place].path for place in self._places]
        self._rates = self._per_kernel()
        fixed = {"trainable": False, "aggregation": "only_first_replica"}
        for place, name in zip(self._places, self._names):
            self.add_weight(
                shape=weights[place].shape,
                dtype="uint8",
                initializer="ones",
                name=f"{name.replace('/', '_')}_mask",
                **fixed,
            )
        self.phase = self.add_weight(
            shape=(), dtype="int64", initializer="zeros", name="phase", **fixed
        )

    def _per_kernel(self):
        if not isinstance(self.rates, list):
            return [self.rates] * len(self._places)
        if len(self.rates) != len(self._places):
            raise ValueError(
                f"`rates` must be one for each of the {len(self._places)} kernels {self._names}. "
                f"Received: {len(self.rates)}, {self.rates}."
            )
        return self.rates

    # Keras would save a list of variables a second time.
    @property
    def masks(self):
        """The mask of each kernel: variables of zeros and ones shaped like it."""
        return self.non_trainable_variables[: len(self._places)]

    def call(self, weights):
        weights = list(weights)
        for place, mask in zip(self._places, self.masks):
            own = tf.convert_to_tensor(mask)
            weights[place] = weights[place] * tf.cast(own, weights[place].dtype)
        return weights

    def prune(self, variables):
        """Switches the mask on: finds the entries of smallest magnitude and sets them to zero.

        Args:
            variables: the backbone's trainable variables.
        """
        for place, mask, rate in zip(self._places, self.masks, self._rates):
            magnitudes = tf.abs(tf.convert_to_tensor(variables[place]))
            # tf.cast would take a float through float32.
            kept = prune_top(-magnitudes, tf.constant(rate, tf.float64))
            mask.assign(tf.cast(kept, tf.uint8))
        self.apply_to(variables)

    def release(self):
        """Switches the mask off: pruned entries may move again, from zero."""
        for mask in self.masks:
            mask.assign(tf.ones_like(tf.convert_to_tensor(mask)))

    @property
    def prunes(self):
        """The number of entries that are zero while the mask is on."""
        sizes = [mask.shape.num_elements() for mask in map(tf.convert_to_tensor, self.masks)]
        return sum(
            int(number_pruned(tf.constant(rate, tf.float64), size))
            for rate, size in zip(self._rates, sizes)
        )

    def apply_to(self, variables):
        """Sets what is pruned to zero.

        Args:
            variables: the backbone's trainable variables.
        """
        for place, mask in zip(self._places, self.masks):
            own = tf.cast(tf.convert_to_tensor(mask), variables[place].dtype)
            variables[place].assign(variables[place] * own)

    def sparsity(self):
        """Returns the share of each kernel that is pruned now, a dictionary by its path."""
        shares = [1 - tf.reduce_mean(tf.cast(mask, tf.float64)) for mask in self.masks]
        return {name: float(share) for name, share in zip(self._names, shares)}

    @property
    def kept(self):
        """The number of entries that are kept now, and that of all, of the kernels."""
        masks = [tf.convert_to_tensor(mask) for mask in self.masks]
        kept = sum(int(tf.math.count_nonzero(mask)) for mask in masks)
        return kept, sum(mask.shape.num_elements() for mask in masks)

    def get_config(self):
        return {**super().get_config(), "rates": self.rates}
