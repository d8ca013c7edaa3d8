"""TensorFlow operations that are inexact at second order.

What is listed here is held to finite differences by `tests/backbones/exactness_test.py`.
"""

from collections.abc import Sequence

import keras

from tfmgaug.backbones.tracing import Body, Trace

_ANY = None
# Operations whose second-order gradient is wrong or zero without an error, or missing, so that
# TensorFlow raises. Where inputs are listed, the gradients of the others are right.
_INEXACT = {
    "CropAndResize": _ANY,
    "CudnnRNN": _ANY,
    "CudnnRNNV2": _ANY,
    "CudnnRNNV3": _ANY,
    "Dilation2D": _ANY,
    "EagerPyFunc": _ANY,
    "FakeQuantWithMinMaxArgs": _ANY,
    "FakeQuantWithMinMaxVars": _ANY,
    "FakeQuantWithMinMaxVarsPerChannel": _ANY,
    "FractionalAvgPool": _ANY,
    "FractionalMaxPool": _ANY,
    "FusedBatchNorm": (3, 4),  # given statistics
    "FusedBatchNormV2": (3, 4),
    "FusedBatchNormV3": (3, 4),
    "Igamma": (0,),
    "Igammac": (0,),
    "ImageProjectiveTransformV2": _ANY,
    "ImageProjectiveTransformV3": _ANY,
    "LRN": _ANY,
    "MaxPoolWithArgmax": _ANY,
    "QuantizeAndDequantizeV2": _ANY,
    "QuantizeAndDequantizeV3": _ANY,
    "QuantizeAndDequantizeV4": _ANY,
    "ResizeBicubic": _ANY,
    "ResizeBilinear": _ANY,
    "ResizeNearestNeighbor": _ANY,
    "ScaleAndTranslate": _ANY,
    "SoftmaxCrossEntropyWithLogits": (1,),  # labels
    "Softsign": _ANY,
    "SparseSegmentMean": _ANY,
    "SparseSegmentMeanWithNumSegments": _ANY,
    "SparseSegmentSqrtN": _ANY,
    "SparseSegmentSqrtNWithNumSegments": _ANY,
    "SparseSegmentSum": _ANY,
    "SparseSegmentSumWithNumSegments": _ANY,
}
_MOMENTS = "tf.nn.moments"
_STATISTICS = "statistics of fused_batch_norm"
_SAME = ("Cast", "Identity", "Reshape", "Squeeze")


def refuse_inexact(traced: Trace, adapting: Sequence[keras.Variable]) -> None:
    """Refuses operations whose gradients are wrong or missing when they are differentiated again.

    Inner gradients flow through what is computed from weights that adapt, and second-order
    meta-gradients through these gradients. What stands in front of all such weights is
    differentiated once, and may be anything.

    Args:
        traced: `tracing.Trace` of a backbone.
        adapting: the variables that the inner loop changes.

    Raises:
        ValueError: there is one; the error names it and the layer.
    """
    weights = {traced.weights[id(variable)] for variable in adapting}
    for kind, name in _inexact_operations(traced, traced.body, weights):
        layer = traced.layers[name]
        raise ValueError(
            f"{kind} has wrong second-order gradients on TensorFlow, or none. Use another layer, "
            "such as tfmgaug.layers.BatchNormalization for normalization, or a first-order learner "
            f"(FOMAML, ProtoNet). Received: layer {layer.name!r} ({type(layer).__name__})."
        )


def _inexact_operations(traced, body, tainted, compiled=False):
    """Lists inexact operations that depend on the tainted tensors: (kind, name of the node)."""
    tainted = _dependent(body, tainted)
    inexact = []
    for name in _needed(body):
        node = body.nodes.get(name)
        inputs = [] if node is None else [_name(x) for x in node.input if not x.startswith("^")]
        if not tainted.intersection(inputs):
            continue
        kind = _kind(body, node, inputs, tainted, compiled)
        if kind is not None:
            inexact.append((kind, name))
        xla = compiled or node.attr["_XlaMustCompile"].b
        for called in traced.called_by(node):
            arguments = called.arguments
            pairs = zip(arguments, inputs[len(inputs) - len(arguments) :])
            # What a loop carries may come around to any of its arguments.
            loop = node.op in ("While", "StatelessWhile")
            inner = set(arguments) if loop else {argument for argument, x in pairs if x in tainted}
            inexact += [(kind, name) for kind, _ in _inexact_operations(traced, called, inner, xla)]
    return inexact


def _kind(body, node, inputs, tainted, compiled):
    places = _INEXACT.get(node.op, ())
    if places is _ANY or any(inputs[place] in tainted for place in places if place < len(inputs)):
        return node.op
    if compiled and node.op.startswith("MaxPool"):
        return "max pooling under XLA"
    if any(_is_statistic(body, x) for x in node.input):
        return _STATISTICS
    return _MOMENTS if node.op == "SquaredDifference" and _is_moment(body, inputs) else None


def _is_statistic(body, reference):
    """Whether a reference is to a mean or variance that the fused kernel puts out."""
    name, *output = reference.split(":")
    node = body.nodes.get(name)
    if node is None or not node.op.startswith("FusedBatchNorm"):
        return False
    return output[:1] in (["1"], ["2"], ["batch_mean"], ["batch_variance"])


def _is_moment(body, inputs):
    """Whether it is `(x - stop_gradient(mean(x)))^2`, which is right at first order alone."""
    for x, center in (inputs, inputs[::-1]):
        mean = body.nodes.get(_origin(body, center, (*_SAME, "StopGradient")))
        stopped = body.nodes.get(_origin(body, center, _SAME))
        if stopped is not None and stopped.op == "StopGradient" and mean.op == "Mean":
            return _origin(body, mean.input[0]) == _origin(body, x)
    return False


def _origin(body, reference, through=_SAME):
    name = _name(reference)
    while name in body.nodes and body.nodes[name].op in through:
        name = _name(body.nodes[name].input[0])
    return name


def _dependent(body: Body, names):
    """Returns the names of all tensors that are computed from these."""
    dependent, size = set(names), -1
    # Variables that a layer keeps from Keras may be weights too.
    dependent.update(n for n, node in body.nodes.items() if node.op == "ReadVariableOp")
    while size < len(dependent):  # one pass, and a second to see that nothing is left
        size = len(dependent)
        for name, node in body.nodes.items():
            if any(_name(x) in dependent for x in node.input if not x.startswith("^")):
                dependent.add(name)
    return dependent


def _needed(body):
    """Returns the names of all nodes that the outputs need, in the order of the graph."""
    needed, left = set(), [_name(x) for x in body.outputs]
    while left:
        name = left.pop()
        if name not in needed:
            needed.add(name)
            node = body.nodes.get(name)
            left += [] if node is None else [_name(x) for x in node.input]
    return [name for name in body.nodes if name in needed]


def _name(reference):
    return reference.lstrip("^").split(":")[0]
