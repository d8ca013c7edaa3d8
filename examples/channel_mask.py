"""Random channel pruning: an example of a mask."""

import keras
import tensorflow as tf

from tfmgaug.masks import Mask
from tfmgaug.randomness import fold, uniform


@keras.saving.register_keras_serializable("examples")
class ChannelMask(Mask):
    """Prunes a random set of output channels of each layer, another for each sub-network.

    Args:
        rates: share of the channels, or (low, high); see `tfmgaug.masks.Mask`.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, rates=(0.0, 0.25), **kwargs):
        super().__init__(rates, **kwargs)

    def draw(self, weights, gradients, subnetwork):
        masks = {}
        for place, name in enumerate(self.prunable):
            kernel = weights[name]
            # Keyed by the sub-network, so that the same seed gives the same masks.
            drawn = uniform([kernel.shape[-1]], fold(subnetwork.key, place), tf.float64)
            masks[name] = tf.broadcast_to(drawn >= subnetwork.rate, kernel.shape)
        return masks
