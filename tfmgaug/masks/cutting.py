"""Removal of pruned channels: a network cut to a smaller width."""

import keras
import numpy as np

from tfmgaug.backbones.graph import calls
from tfmgaug.backbones.head import classifier_of
from tfmgaug.backbones.preparation import prepare
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import name_of
from tfmgaug.layers import BatchNormalization, Context, FiLM, SpatialDense
from tfmgaug.masks.mask import at_rate
from tfmgaug.masks.width import WidthMask
from tfmgaug.types import Shape

_Entering = tuple[np.ndarray, Shape]  # the channels left of a tensor, and its whole shape
_layers = keras.layers
_KERNELS = (_layers.Conv1D, _layers.Conv2D, _layers.Conv3D, _layers.Dense, SpatialDense)
_MERGES = (_layers.Add, _layers.Average, _layers.Maximum, _layers.Multiply, _layers.Subtract)
# Layers with separate weights for each channel.
_OF_CHANNELS = (BatchNormalization, FiLM)
# Layers that treat each channel by itself and map zero to zero.
_CHANNELWISE = (
    _layers.Activation,
    _layers.AveragePooling1D,
    _layers.AveragePooling2D,
    _layers.Cropping2D,
    _layers.ELU,
    _layers.GlobalAveragePooling1D,
    _layers.GlobalAveragePooling2D,
    _layers.GlobalMaxPooling1D,
    _layers.GlobalMaxPooling2D,
    _layers.Identity,
    _layers.LeakyReLU,
    _layers.MaxPooling1D,
    _layers.MaxPooling2D,
    _layers.ReLU,
    _layers.ZeroPadding2D,
)


def cut(backbone: keras.Model, rate: float, embedding: bool = False) -> keras.Model:
    """Cuts the channels out of a network that a `WidthMask` of this rate sets to zero.

    `cut(backbone, rate)(x) = backbone_with(mask * weights)(x)`: each convolution and hidden dense
    layer keeps its first `max(1, d - floor(rate * d))` of `d` outputs, with their biases and
    normalization, and each layer behind it loses the inputs that would be zero.

    Args:
        backbone: a functional or sequential `keras.Model` of convolutions, dense layers,
            normalization, pooling, activations, sums and Flatten; `learner.backbone` is one.
        rate: float in [0, 1), share of the channels cut in each layer.
        embedding: bool. False: the last layer with weights is a classifier, whose outputs stay.
            True: there is none (ProtoNet), and outputs are cut as all other channels.

    Returns:
        A new `keras.Model` with the weights and statistics that remain. With `embedding`, its
        outputs are the masked network's without those that are always zero.

    Raises:
        TypeError: it is no functional model.
        ValueError: `rate` is out of range, there is nothing to prune, or a layer can't be cut; the
            error names it.

    Example:
        >>> thinner = cut(learner.backbone, rate=0.25)
        >>> thinner.count_params() < learner.backbone.count_params()
        True

    Reference:
        Yang et al., GradAug, 2020, https://arxiv.org/abs/2006.07989, Section 3.
    """
    backbone = prepare(backbone)
    masked = _masked_channels(backbone, float(rate), embedding)
    kept = _KeptChannels(masked)
    kept.follow(backbone)
    copies = {}

    def copy(layer):
        config = layer.get_config()
        for size in ("filters", "units"):
            if size in config and id(layer) in kept.outputs:
                config[size] = len(kept.outputs[id(layer)])
        copies[id(layer)] = (layer, type(layer).from_config(config))
        return copies[id(layer)][1]

    smaller = keras.models.clone_model(backbone, clone_function=copy)
    for layer, thinner in copies.values():
        if getattr(layer, "weights", None):
            thinner.set_weights(kept.weights(layer))
    return smaller


def _masked_channels(backbone: keras.Model, rate: float, embedding: bool) -> dict[str, np.ndarray]:
    """Returns the channels that a mask leaves, by the name of the weight that it acts on."""
    network, mask = Network(backbone), WidthMask(rate)
    mask.attach(network, None if embedding else classifier_of(backbone))
    masks = mask.drawn(network.params, None, at_rate(rate))
    return {
        name: np.flatnonzero(np.reshape(kept, [-1, kept.shape[-1]])[0])
        for name, kept in masks.items()
    }


class _KeptChannels:
    """Follows through a network which channels of each tensor are left.

    Attributes:
        inputs: dictionary from the id of a layer to the channels left of its input.
        outputs: the same of the outputs, for layers with a kernel.
    """

    def __init__(self, masked: dict[str, np.ndarray]) -> None:
        self._masked = masked
        self.inputs: dict[int, np.ndarray] = {}
        self.outputs: dict[int, np.ndarray] = {}

    def follow(self, model: keras.Model) -> None:
        """Follows a model's calls of layers, from all channels of its input."""
        left = {id(model.inputs[0]): np.arange(model.inputs[0].shape[-1])}
        for node in calls(model):
            if not node.is_input:
                tensors = [(left[id(x)], x.shape) for x in node.input_tensors]
                leaving = self._through(node.operation, tensors, node.outputs[0].shape)
                left.update((id(x), leaving) for x in node.outputs)

    def weights(self, layer: keras.Layer) -> list[np.ndarray]:
        """Returns what is left of a layer's weights."""
        if isinstance(layer, Context):
            return layer.get_weights()
        entering = self.inputs[id(layer)]
        if isinstance(layer, _KERNELS) and getattr(layer, "groups", 1) == 1:
            leaving = self.outputs[id(layer)]
            kernel, *bias = layer.get_weights()
            return [kernel[..., entering, :][..., leaving], *(b[leaving] for b in bias)]
        if isinstance(layer, _OF_CHANNELS):
            return [weight[..., entering] for weight in layer.get_weights()]
        return layer.get_weights()

    def _through(self, layer: keras.Layer, tensors: list[_Entering], shape: Shape) -> np.ndarray:
        if isinstance(layer, Context):
            return np.arange(layer.size)  # whatever it is called on
        entering = tensors[0][0]
        if not np.array_equal(self.inputs.setdefault(id(layer), entering), entering):
            raise _uncuttable(layer, "is called several times, with different channels pruned")
        if isinstance(layer, _KERNELS):
            return self._through_kernel(layer, tensors)
        if isinstance(layer, _OF_CHANNELS):
            return self._through_normalization(layer, entering)
        if all(_is_whole(*tensor) for tensor in tensors):
            return np.arange(shape[-1] or 0)  # whatever it does, it is copied as it is
        if isinstance(layer, _MERGES):
            if any(not np.array_equal(entering, other) for other, _ in tensors):
                raise _uncuttable(layer, "merges tensors with different channels pruned")
            return entering
        if isinstance(layer, _layers.Flatten) and _is_last(layer):
            return _flattened(*tensors[0])
        if isinstance(layer, _CHANNELWISE) and _is_last(layer):
            return entering
        raise _uncuttable(layer, "is of a kind whose channels can't be followed")

    def _through_kernel(self, layer: keras.Layer, tensors: list[_Entering]) -> np.ndarray:
        everything = np.arange(layer.kernel.shape[-1])
        leaving = self._masked.get(name_of(layer.kernel), everything)
        self.outputs[id(layer)] = leaving
        whole = len(leaving) == len(everything) and _is_whole(*tensors[0])
        if not whole and (getattr(layer, "groups", 1) > 1 or not _is_last(layer)):
            raise _uncuttable(layer, "has groups, or channels that do not come last")
        return leaving

    def _through_normalization(self, layer: keras.Layer, entering: np.ndarray) -> np.ndarray:
        masks = [
            self._masked.get(name_of(v), np.arange(v.shape[-1])) for v in layer.trainable_variables
        ]
        if any(not np.array_equal(mask, entering) for mask in masks):
            raise _uncuttable(layer, "is masked in other channels than its input")
        return entering


def _is_whole(left: np.ndarray, shape: Shape) -> bool:
    return len(left) == shape[-1]


def _is_last(layer: keras.Layer) -> bool:
    return getattr(layer, "data_format", None) != "channels_first"


def _flattened(left: np.ndarray, shape: Shape) -> np.ndarray:
    """Finds the entries of a flattened tensor that belong to the channels left."""
    if None in shape[1:]:
        return left  # of an output: no layer with weights can follow
    positions = np.arange(np.prod(shape[1:-1], dtype=int))
    return (positions[:, None] * shape[-1] + left).reshape(-1)


def _uncuttable(layer: keras.Layer, reason: str) -> ValueError:
    return ValueError(
        f"Layer {layer.name!r} ({type(layer).__name__}) can't be cut: it {reason}. Cutting takes "
        "functional models of convolutions, dense layers, tfmgaug's layers, pooling, activations, "
        "sums and Flatten."
    )
