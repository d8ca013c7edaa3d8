"""The base class of masks that are drawn for each sub-network."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from tfmgaug.configured import Settled, arguments_of
from tfmgaug.engine import returned
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params, by_name
from tfmgaug.randomness import fold, key, uniform

_SCORES = (None, "query_loss", "meta_gradient")
_KERNEL_LAYERS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D, keras.layers.Dense)


@dataclasses.dataclass(frozen=True)
class Subnetwork:
    """Which sub-network a mask is drawn for.

    Attributes:
        number: int32 scalar, of the sub-network within its task, from 0.
        episode_index: int64 scalar, the index of the task's episode.
        rate: float64 scalar, the share to prune.
        key: stateless key, `[2]`, of the draws for this sub-network at this outer step.
    """

    number: tf.Tensor
    episode_index: tf.Tensor
    rate: tf.Tensor
    key: tf.Tensor


class Mask(Settled, keras.layers.Layer):
    """Prunes weights: `w_j <- w_j * m_j` with `m_j` zero or one.

    Subclasses choose in `draw` which entries are pruned. Convolution kernels and hidden dense
    kernels are pruned; biases, normalization and the classifier never are.

    Args:
        rates: share of the entries of every pruned layer, in [0, 1): one number for all
            sub-networks, or (low, high), of which the first sub-network of a task gets `high` and
            the others a uniform draw.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: a rate is outside [0, 1), or low is above high.
    """

    # Which gradients `draw` reads: None, "query_loss" or "meta_gradient".
    score: Literal["query_loss", "meta_gradient"] | None = None
    prunable: list[str]  # the names of the weights that can be pruned, once attached

    def __init__(self, rates: float | Sequence[float], **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        low, high = (rates, rates) if isinstance(rates, (int, float)) else tuple(rates)
        if not 0 <= low <= high < 1:
            raise ValueError(
                "`rates` must be a share, or (low, high), with 0 <= low <= high < 1. "
                f"Received: rates={rates}."
            )
        if self.score not in _SCORES:
            raise ValueError(
                f"`score` of {type(self).__name__} must be one of {_SCORES}. "
                f"Received: {self.score!r}."
            )
        returned.require_override(self, "draw", Mask)
        self.rates = (float(low), float(high))
        self.built = True

    def attach(self, network: Network, classifier: keras.Layer | None = None) -> None:
        """Finds the weights of a network that can be pruned.

        Args:
            network: `Network`.
            classifier: the layer that is never pruned; None if there is none (ProtoNet).

        Raises:
            ValueError: the network has nothing to prune.
        """
        layers = prunable_layers(network.model, classifier)
        self.prunable = self._in_order(network, (layer.kernel for layer in layers))

    def _in_order(self, network: Network, variables: Iterable[keras.Variable]) -> list[str]:
        """Names variables in the order of the network's weights."""
        names = set(by_name(variables))
        return [name for name in network.variables if name in names]

    def rate(self, subnetwork: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Draws a sub-network's rate; override it to give your own.

        Args:
            subnetwork: int32 scalar, its number; 0 gets the highest rate.
            key: stateless key, `[2]`, of this sub-network.

        Returns:
            A float64 scalar.
        """
        low, high = self.rates
        drawn = uniform([], fold(key, "rate"), tf.float64)
        # float64: in float32, rate * n may round across an integer.
        drawn = low + tf.constant(high - low, tf.float64) * drawn
        return tf.where(subnetwork == 0, tf.constant(high, tf.float64), drawn)

    def draw(self, weights: Params, gradients: Params | None, subnetwork: Subnetwork) -> Params:
        """Chooses the entries to prune; override it to give your own.

        Args:
            weights: the network's weights, by name.
            gradients: by the same names; None unless `score` names some.
            subnetwork: `Subnetwork` that the masks are for.

        Returns:
            Masks of zeros and ones, or of truth values, by the names of weights: shaped like the
            weight, or so that they broadcast to it. What has no mask is not pruned.
        """
        raise NotImplementedError

    def drawn(self, weights: Params, gradients: Params | None, subnetwork: Subnetwork) -> Params:
        """Draws masks, and refuses what fits no weight; the arguments are those of `draw`.

        Returns:
            Masks, float32 or better, by the names of weights.

        Raises:
            TypeError: `draw` returned no dictionary.
            ValueError: a name is no weight's, or a shape doesn't fit.
        """
        scoring = None if self.score is None else gradients
        masks = returned.params(self, "draw", self.draw(weights, scoring, subnetwork))
        return {name: self._fitting(name, mask, weights) for name, mask in masks.items()}

    def _fitting(self, name: str, mask: tf.Tensor, weights: Params) -> tf.Tensor:
        if name not in weights:
            raise ValueError(
                f"`{type(self).__name__}.draw` must return masks by the names of weights, such as "
                f"{self.prunable[0]!r}. Received: {name!r}."
            )
        mask, shape = tf.convert_to_tensor(mask), weights[name].shape
        try:
            fits = tf.broadcast_static_shape(mask.shape, shape).is_compatible_with(shape)
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"`{type(self).__name__}.draw` must return a mask of {name!r} that fits its shape "
                f"{tuple(shape)}. Received: a mask of shape {tuple(mask.shape)}."
            )
        mask = mask if mask.dtype.is_floating else tf.cast(mask, tf.float32)
        return tf.broadcast_to(mask, shape)

    def call(self, weights: Params, masks: Params) -> Params:
        return apply(weights, masks)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **arguments_of(self, Mask)}


def apply(weights: Params, masks: Params) -> Params:
    """Multiplies weights by the masks of their names, and leaves the others as they are."""
    return {
        name: weight * tf.cast(masks[name], weight.dtype) if name in masks else weight
        for name, weight in weights.items()
    }


def prunable_layers(
    backbone: keras.Model, classifier: keras.Layer | None = None
) -> list[keras.Layer]:
    """Finds the layers whose kernels masks may prune.

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
        if isinstance(layer, _KERNEL_LAYERS)
        and all(layer is not spared_layer for spared_layer in spared)
    ]
    if not layers:
        raise ValueError(
            "Expected a backbone with convolutions or hidden dense layers to prune. "
            f"Received: {backbone.name!r}, which has none."
        )
    return layers


def prune_top(scores: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
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


def at_rate(rate: float) -> Subnetwork:
    """Returns a sub-network of this rate, for masks of which only the sizes matter."""
    number, index = tf.constant(0), tf.constant(0, tf.int64)
    return Subnetwork(number, index, tf.constant(rate, tf.float64), key(0))


def number_pruned(rate: tf.Tensor, size: int) -> tf.Tensor:
    """Returns `floor(rate * size)`, an int32 scalar; `rate` is a float64 scalar."""
    # 0.29 is a little less than 29/100 in floating point, but 29 of 100 are meant.
    return tf.cast(tf.floor(tf.cast(rate, tf.float64) * size * (1 + 1e-12)), tf.int32)
