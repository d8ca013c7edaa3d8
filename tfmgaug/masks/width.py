"""Random width pruning (WP): a mask of whole channels."""

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params
from tfmgaug.layers import BatchNormalization, FiLM
from tfmgaug.masks.mask import Mask, Subnetwork, number_pruned, prunable_layers

# Layers that treat each channel by itself, with weights whose last axis is the channels.
_CHANNELWISE = (BatchNormalization, FiLM)


@keras.saving.register_keras_serializable("tfmgaug")
class WidthMask(Mask):
    """Keeps the first `max(1, d - floor(rate * d))` of the `d` output channels of each layer.

    The removed channels' biases, normalization and FiLM go with them, so that the masked network
    equals the network physically cut.

    Args:
        rates: share of the channels, or (low, high); see `Mask`. The paper prints none: this
            default is ours.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: on attaching, an activation has f(0) != 0, so that a removed channel would go on
            sending a constant; or a normalization's channels are not those of the layers before it.

    Example:
        >>> MGAug(WidthMask(rates=(0.0, 0.25)))

    Reference:
        Wang et al., MGAug, Section 4.1, "Random width pruning"; Yang et al., GradAug, 2020.
    """

    def __init__(self, rates: float | Sequence[float] = (0.0, 0.25), **kwargs: Any) -> None:
        super().__init__(rates, **kwargs)

    def attach(self, network: Network, classifier: keras.Layer | None = None) -> None:
        backbone = network.model
        layers = prunable_layers(backbone, classifier)
        _check_activations(backbone)
        pruned = [layer.name for layer in layers]
        owners = layers + [
            layer
            for layer in backbone._flatten_layers(include_self=False)
            if isinstance(layer, _CHANNELWISE) and _is_fed_by(layer, pruned)
        ]
        # The last axis of each of these variables is the layer's output channels.
        channels = (variable for layer in owners for variable in layer.trainable_variables)
        self.prunable = self._in_order(network, channels)

    def draw(self, weights: Params, gradients: Params | None, subnetwork: Subnetwork) -> Params:
        return {name: _first_channels(weights[name], subnetwork.rate) for name in self.prunable}


def _first_channels(weight: tf.Tensor, rate: tf.Tensor) -> tf.Tensor:
    channels = weight.shape[-1]
    kept = tf.maximum(1, channels - number_pruned(rate, channels))
    return tf.broadcast_to(tf.cast(tf.range(channels) < kept, tf.float32), weight.shape)


def _is_fed_by(layer: keras.Layer, pruned: list[str]) -> bool:
    """Whether a normalization or FiLM acts on the channels of pruned layers."""
    channels = layer.weights[-1].shape[-1]
    sources = list(_sources(layer, pruned))
    for source in sources:
        if source.kernel.shape[-1] != channels:
            raise ValueError(
                "Width pruning needs normalization of channels as the layer before makes them, not "
                f"flattened or concatenated. Received: {layer.name!r} with {channels} channels "
                f"behind {source.name!r} with {source.kernel.shape[-1]}."
            )
    return bool(sources)


def _sources(layer: keras.Layer, pruned: list[str]) -> Iterator[keras.Layer]:
    """The pruned layers whose channels reach a layer, through others that keep channels apart."""
    for node in layer._inbound_nodes:
        for parent in node.parent_nodes:
            source = parent.operation
            if source.name in pruned:
                yield source
            elif isinstance(source, _CHANNELWISE) or not getattr(source, "weights", ()):
                yield from _sources(source, pruned)


def _check_activations(backbone: keras.Model) -> None:
    for layer in backbone._flatten_layers(include_self=False):
        activation = getattr(layer, "activation", None)
        if callable(activation) and layer is not backbone.layers[-1]:
            at_zero = np.max(np.abs(keras.ops.convert_to_numpy(activation(tf.zeros([1, 2])))))
            if at_zero > 0:
                raise ValueError(
                    "Width pruning needs activations with f(0) = 0, such as ReLU, GELU or tanh: "
                    "removed channels would go on sending a constant. "
                    f"Received: {layer.name!r} with f(0) = {at_zero:.3g}."
                )
