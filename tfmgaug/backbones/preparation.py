"""What a user's own backbone must be, and what is converted for them."""

import keras

from tfmgaug.layers import BatchNormalization

# TensorFlow's gradients through these are wrong at second order, without a word.
_WRONG_AT_SECOND_ORDER = (
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Resizing,
    keras.layers.UnitNormalization,
    keras.layers.UpSampling2D,
)


def prepare(backbone, second_order):
    """Checks a backbone, and replaces Keras's batch normalization by the exact one.

    Args:
        backbone: a functional or sequential `keras.Model`, built.
        second_order: whether gradients will flow through the inner loop's gradients.

    Returns:
        The backbone, or a copy of it with the same weights and other normalization.

    Raises:
        TypeError: it is no functional model.
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
    layers = list(backbone._flatten_layers(include_self=False))
    _refuse_precision(layers)
    _refuse_states(layers)
    if second_order:
        _refuse_inexact(layers)
    if any(isinstance(layer, keras.layers.BatchNormalization) for layer in layers):
        return _converted(backbone)
    return backbone


def statistics_of(backbone):
    """Returns the variables that hold statistics, and not those of frozen layers."""
    layers = backbone._flatten_layers(include_self=False)
    own = [v for n in layers if isinstance(n, BatchNormalization) for v in (n.mean, n.variance)]
    return [v for v in backbone.non_trainable_variables if any(v is one for one in own)]


def classifier_of(backbone):
    """Returns the layer that makes the outputs: the last one that owns weights."""
    return [layer for layer in backbone.layers if layer.trainable_variables][-1]


def image_shape_of(backbone):
    """Returns the shape of one input that the backbone was made for, without the batch axis."""
    for layer in backbone.layers:
        if hasattr(layer, "image_shape"):
            return layer.image_shape
    return tuple(backbone.inputs[0].shape[1:])


def _refuse_precision(layers):
    for layer in layers:  # the model's own policy says nothing about theirs
        if layer.compute_dtype == "float16":
            raise ValueError(
                "float16 needs loss scaling in the inner loop, which is not supported. Use "
                f"'mixed_bfloat16'. Received: layer {layer.name!r} in float16."
            )


def _refuse_states(layers):
    for layer in layers:
        stateless = isinstance(layer, (BatchNormalization, keras.layers.BatchNormalization))
        own = getattr(layer, "_non_trainable_variables", [])
        if getattr(layer, "seed_generator", None) is not None or (own and not stateless):
            raise ValueError(
                "Layers with a state of their own, such as Dropout, break exact resume and would "
                "repeat their draws in the inner loop. "
                f"Received: layer {layer.name!r} ({type(layer).__name__})."
            )


def _refuse_inexact(layers):
    for layer in layers:
        if isinstance(layer, _WRONG_AT_SECOND_ORDER):
            raise ValueError(
                f"{type(layer).__name__} has wrong second-order gradients on TensorFlow. Use "
                "tfmgaug.layers.BatchNormalization, or a first-order learner (FOMAML, ProtoNet). "
                f"Received: layer {layer.name!r}."
            )


def _converted(backbone):
    def convert(layer):
        if not isinstance(layer, keras.layers.BatchNormalization):
            return type(layer).from_config(layer.get_config())
        if not layer.trainable:
            raise ValueError(
                "Frozen batch normalization normalizes by its moving statistics in training too, "
                "which has no counterpart here. Unfreeze it, or fold it into the layer before. "
                f"Received: layer {layer.name!r}."
            )
        if not (layer.center and layer.scale) or layer.axis not in (-1, len(layer.input.shape) - 1):
            raise ValueError(
                "Batch normalization can be converted if it has center and scale and acts on the "
                f"last axis. Received: layer {layer.name!r} with center={layer.center}, "
                f"scale={layer.scale}, axis={layer.axis}."
            )
        return BatchNormalization(layer.epsilon, name=layer.name, dtype=layer.dtype_policy)

    copy = keras.models.clone_model(backbone, clone_function=convert, recursive=True)
    copy.set_weights(backbone.get_weights())
    return copy
