"""The check and conversion of a user's backbone."""

import keras

from tfmgaug.backbones.flattening import flattened, innermost, is_nested
from tfmgaug.layers import BatchNormalization
from tfmgaug.types import Shape

# Options of Keras's batch normalization that its replacement doesn't have.
_EXTRAS = ("beta_regularizer", "gamma_regularizer", "beta_constraint", "gamma_constraint")


def prepare(backbone: keras.Model) -> keras.Model:
    """Checks a backbone, takes models inside it apart, and replaces Keras's batch normalization.

    Args:
        backbone: a functional or sequential `keras.Model`, built.

    Returns:
        The backbone; where it holds functional models, a model of the same layers without them;
        where it holds Keras's batch normalization, a copy with the same weights and the exact one.

    Raises:
        TypeError: it is not a functional model.
        ValueError: it has a layer that can't be used; the error names it.
    """
    if not isinstance(backbone, keras.Sequential) and not hasattr(backbone, "inputs"):
        raise TypeError(
            "`backbone` must be a functional or sequential keras.Model. "
            f"Received: {type(backbone).__name__}."
        )
    if not backbone.built or not backbone.trainable_variables:
        raise ValueError(
            "`backbone` must be built and have trainable weights: call it once, or give its first "
            f"layer an input shape. Received: {backbone.name!r}."
        )
    if len(backbone.inputs) != 1 or len(backbone.outputs) != 1:
        raise ValueError(
            "`backbone` must have one input and one output. Received: "
            f"{len(backbone.inputs)} inputs and {len(backbone.outputs)} outputs."
        )
    _refuse_modes(backbone)
    stock = any(isinstance(layer, keras.layers.BatchNormalization) for layer in innermost(backbone))
    if stock or is_nested(backbone):
        backbone = flattened(backbone, _converted, copied=stock)
    _refuse_hidden_normalization(backbone)
    return backbone


def statistics_of(backbone: keras.Model) -> list[keras.Variable]:
    """Returns the variables that hold statistics, and not those of frozen layers."""
    layers = backbone._flatten_layers(include_self=False)
    statistics = [
        v for n in layers if isinstance(n, BatchNormalization) for v in (n.mean, n.variance)
    ]
    return [
        v
        for v in backbone.non_trainable_variables
        if any(v is statistic for statistic in statistics)
    ]


def image_shape_of(backbone: keras.Model) -> Shape:
    """Returns the shape of one input that the backbone was made for, without the batch axis."""
    for layer in innermost(backbone):
        if hasattr(layer, "image_shape"):
            return layer.image_shape
    return tuple(backbone.inputs[0].shape[1:])


def _refuse_modes(backbone):
    # The model's own policy says nothing about its layers'.
    for layer in backbone._flatten_layers(include_self=False):
        if layer.compute_dtype == "float16":
            raise ValueError(
                "float16 needs loss scaling in the inner loop, which is not supported. Use "
                f"'mixed_bfloat16'. Received: layer {layer.name!r} in float16."
            )
        quantized = getattr(layer, "quantization_mode", None)
        if quantized or getattr(layer, "lora_enabled", False):
            raise ValueError(
                "Inner loops and masks change the kernels of layers, and this layer's kernel is "
                "not trainable: build it without `quantize` or `enable_lora`. Received: layer "
                f"{layer.name!r}, {f'quantized to {quantized}' if quantized else 'with LoRA'}."
            )
        if getattr(layer, "_remat_mode", None) is not None:
            raise ValueError(
                "Layers built in a keras.RematScope can't be differentiated twice. To save memory, "
                "use recompute_inner_steps=True of the learner. "
                f"Received: layer {layer.name!r} ({type(layer).__name__})."
            )


def _converted(layer):
    """Returns exact batch normalization for Keras's, and None for other layers."""
    if not isinstance(layer, keras.layers.BatchNormalization):
        return None
    if not layer.trainable:
        raise ValueError(
            "Frozen batch normalization uses its moving statistics in training too, which is not "
            "supported. Unfreeze it, or fold it into the layer before. "
            f"Received: layer {layer.name!r}."
        )
    extras = [name for name in (*_EXTRAS, "synchronized") if getattr(layer, name)]
    if extras:
        raise ValueError(
            "Batch normalization is replaced by one whose second-order gradients are exact, which "
            f"has no {' or '.join(extras)}. Received: layer {layer.name!r}."
        )
    return BatchNormalization(
        layer.epsilon,
        center=layer.center,
        scale=layer.scale,
        axis=layer.axis,
        name=layer.name,
        dtype=layer.dtype_policy,
    )


def _refuse_hidden_normalization(backbone):
    for layer in innermost(backbone):
        for inner in layer._flatten_layers(include_self=False):
            if isinstance(inner, keras.layers.BatchNormalization):
                raise ValueError(
                    "Keras's batch normalization can't be replaced inside another layer. Build "
                    "that layer with tfmgaug.layers.BatchNormalization. "
                    f"Received: layer {layer.name!r} ({type(layer).__name__}), which holds "
                    f"{inner.name!r}."
                )
