"""The base of all masks: a Keras layer from a list of weights to the pruned list."""

import keras
import tensorflow as tf

from tfmgaug.configured import Settled
from tfmgaug.randomness import fold, uniform

_KERNEL_LAYERS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense)


class Mask(Settled, keras.layers.Layer):
    """Prunes weights: `w_j <- w_j * m_j` with `m_j` zero or one.

    Subclasses say in `draw` which entries go. Convolution kernels and hidden dense kernels are
    pruned; biases, normalization and the classifier never are.

    Args:
        rates: share of the entries of every pruned layer, in [0, 1): one number for all
            sub-networks, or (low, high), of which the first sub-network of a task gets `high` and
            the others a uniform draw.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: a rate is outside [0, 1), or low is above high.
    """

    # Which gradients `draw` reads: None, "query_loss" or "meta_gradient".
    score = None

    def __init__(self, rates, **kwargs):
        super().__init__(autocast=False, **kwargs)
        low, high = (rates, rates) if isinstance(rates, (int, float)) else tuple(rates)
        if not 0 <= low <= high < 1:
            raise ValueError(
                "`rates` must be a share, or (low, high), with 0 <= low <= high < 1. "
                f"Received: rates={rates}."
            )
        self.rates = (float(low), float(high))
        self.built = True

    def attach(self, backbone, classifier=None):
        """Learns the layout of a backbone's weights.

        Args:
            backbone: `keras.Model`.
            classifier: the layer that is never pruned; None if there is none (ProtoNet).

        Raises:
            ValueError: the backbone has nothing to prune.
        """
        kernels = {id(layer.kernel) for layer in prunable_layers(backbone, classifier)}
        self.prunable = [id(variable) in kernels for variable in backbone.trainable_variables]

    def rate(self, subnetwork, key):
        """Draws a sub-network's rate.

        Args:
            subnetwork: int32 scalar; number 0 gets the highest rate.
            key: stateless key, `[2]`.

        Returns:
            A float64 scalar.
        """
        low, high = self.rates
        drawn = uniform([], fold(key, "rate"), tf.float64)
        # float64: in float32, rate * n may round across an integer.
        drawn = low + tf.constant(high - low, tf.float64) * drawn
        return tf.where(subnetwork == 0, tf.constant(high, tf.float64), drawn)

    def draw(self, weights, gradients, rate, key):
        """Chooses the entries to prune.

        Args:
            weights: list aligned with the backbone's trainable variables.
            gradients: list aligned with `weights`; None unless `score` names some.
            rate: float64 scalar.
            key: stateless key, `[2]`.

        Returns:
            A list of masks aligned with `weights`; None stands where nothing is ever pruned.
        """
        raise NotImplementedError

    def call(self, weights, masks):
        pairs = zip(weights, masks, strict=True)
        return [w if m is None else w * tf.cast(m, w.dtype) for w, m in pairs]

    def get_config(self):
        return {**super().get_config(), "rates": self.rates}


def prunable_layers(backbone, classifier=None):
    """Names the layers whose kernels masks may prune.

    Args:
        backbone: `keras.Model`.
        classifier: layer to leave out, or None.

    Returns:
        A list of layers.

    Raises:
        ValueError: there are none.
    """
    spared = [] if classifier is None else list(classifier._flatten_layers())
    layers = [
        layer
        for layer in backbone._flatten_layers(include_self=False)
        if isinstance(layer, _KERNEL_LAYERS) and all(layer is not one for one in spared)
    ]
    if not layers:
        raise ValueError(
            "Expected a backbone with convolutions or hidden dense layers to prune. "
            f"Received: {backbone.name!r}, which has none."
        )
    return layers


def prune_top(scores, rate):
    """Masks the entries of highest score: exactly `floor(rate * n)`, ties by index.

    Args:
        scores: tensor of any shape.
        rate: float64 scalar in [0, 1).

    Returns:
        A float32 tensor of zeros and ones, shaped like `scores`.
    """
    size = scores.shape.num_elements()
    # top_k puts the lower index first among equals, so all-zero scores prune no more than asked.
    indices = tf.math.top_k(tf.reshape(scores, [-1]), number_pruned(rate, size)).indices
    flat = tf.tensor_scatter_nd_update(
        tf.ones([size]), indices[:, None], tf.zeros_like(indices, tf.float32)
    )
    return tf.reshape(flat, scores.shape)


def number_pruned(rate, size):
    """Returns `floor(rate * size)`, an int32 scalar; `rate` is a float64 scalar."""
    # 0.29 is a little less than 29/100 in floating point, but 29 of 100 are meant.
    return tf.cast(tf.floor(tf.cast(rate, tf.float64) * size * (1 + 1e-12)), tf.int32)
