"""The head of a backbone: the layer that makes its outputs."""

import warnings

import keras

from tfmgaug.backbones.flattening import learnable
from tfmgaug.backbones.graph import calls
from tfmgaug.backbones.preparation import statistics_of
from tfmgaug.backbones.tracing import Trace

_PROBABILITIES = ("hard_sigmoid", "sigmoid", "softmax", "sparse_sigmoid", "sparsemax")
_ACTIVATIONS = (
    "Elu", "LeakyRelu", "Relu", "Relu6", "Selu", "Softplus", "Softsign", "Tanh",
)  # fmt: skip
# Operations that leave values as they are, or average them.
_PASSING = (
    "AvgPool", "AvgPool3D", "Cast", "ExpandDims", "Identity", "MaxPool", "MaxPool3D", "Mean",
    "Reshape", "Squeeze", "Transpose",
)  # fmt: skip


def classifier_of(backbone: keras.Model) -> keras.Layer:
    """Returns the layer that makes the outputs: the last one with weights that may be learned.

    Args:
        backbone: functional or sequential `keras.Model` without models inside.

    Returns:
        A Keras layer.

    Raises:
        ValueError: the last layer is made of several layers with weights, so that it is not clear
            which of them is the head.
    """
    layer = [node.operation for node in calls(backbone) if learnable(node.operation)][-1]
    owners = [owner for owner in layer._flatten_layers() if owner._trainable_variables]
    if len(owners) > 1:
        raise ValueError(
            "Expected a backbone whose head is a single layer, after all others. Received: "
            f"{backbone.name!r}, whose last layer with weights, {layer.name!r} "
            f"({type(layer).__name__}), holds {[owner.name for owner in owners]}."
        )
    return layer


def body_and_head(backbone: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Divides a backbone in front of its head.

    Args:
        backbone: as in `classifier_of`.

    Returns:
        Two `keras.Model` made of the backbone's layers: from its inputs to what the head takes, and
        from there to its outputs.

    Raises:
        ValueError: a connection bypasses the head, so that no single tensor divides the backbone,
            or there is batch normalization after the head.
    """
    head = classifier_of(backbone)
    nodes = [node for node in calls(backbone) if node.operation is head]
    tensors = nodes[0].input_tensors
    try:
        if len(nodes) > 1 or len(tensors) > 1:
            raise ValueError
        parts = (
            keras.Model(backbone.inputs[0], tensors[0]),
            keras.Model(tensors[0], backbone.outputs[0]),
        )
    except ValueError as error:
        raise ValueError(
            "Expected a head that is called once, on the only output of the layers before it. "
            f"Received: {backbone.name!r}, where a connection bypasses the head {head.name!r}."
        ) from error
    if statistics_of(parts[1]):
        raise ValueError(
            "Expected no batch normalization after the head: its statistics would change in each "
            f"inner step. Received: {backbone.name!r}, with the head {head.name!r}."
        )
    return parts


def check_logits(backbone: keras.Model, traced: Trace) -> None:
    """Refuses outputs that are not logits, and warns of those that look like features.

    Args:
        backbone: as in `classifier_of`.
        traced: its `tracing.Trace`.

    Raises:
        ValueError: they are probabilities, or not vectors.
    """
    shape = backbone.outputs[0].shape
    if len(shape) != 2 or shape[-1] is None:
        raise ValueError(
            "The head must give logits [n, way]. "
            f"Received: {backbone.name!r} with outputs {tuple(shape)}."
        )
    kind, name = _origin(traced, traced.body, traced.body.outputs[0])
    layer = traced.layers.get(name, calls(backbone)[-1].operation)
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    if kind in ("Sigmoid", "Softmax") or activation in _PROBABILITIES:
        raise ValueError(
            "The head must give logits, as the loss applies the softmax: remove the activation. "
            f"Received: probabilities of layer {layer.name!r} "
            f"({type(layer).__name__}) in {backbone.name!r}."
        )
    if kind in _ACTIVATIONS:
        warnings.warn(
            f"The outputs of {backbone.name!r} come out of an activation, {kind} of layer "
            f"{layer.name!r}, and look like features: a classifier of {shape[-1]} ways ends with a "
            "linear head. End it with Dense(way), or use ProtoNet, which takes features.",
            stacklevel=2,
        )


def _origin(traced, body, reference, name=None):
    """Finds the operation that made a tensor: its kind, and its name in the outermost graph."""
    while True:
        producer, *output = reference.split(":")
        node = body.nodes.get(producer)
        if node is None:
            return "argument", name
        outermost = producer if name is None else name
        called = traced.called_by(node)
        if len(called) == 1 and node.op.endswith("PartitionedCall"):
            place = int(output[-1]) if output else 0
            return _origin(traced, called[0], called[0].outputs[place], outermost)
        if node.op not in _PASSING:
            return node.op, outermost
        reference = node.input[0]
