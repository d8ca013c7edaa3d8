"""The operations that a backbone runs when it is called, by layer."""

import re
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tfmgaug.backbones.graph import graph_of
from tfmgaug.layers import BatchNormalization

# Operations that draw from a state of TensorFlow's own; those by key are "StatelessRandom...".
_DRAWS = re.compile(
    r"Random|TruncatedNormal|ParameterizedTruncatedNormal|Multinomial|Rng|Stateful(?!Part)"
)
_ASSIGNS = re.compile(r"Assign\w*VariableOp|ResourceScatter")


class Body(NamedTuple):
    """A graph of operations, or a function that one of them calls.

    Attributes:
        nodes: dictionary from names to TensorFlow's `NodeDef`.
        arguments: names of the tensors that come in.
        outputs: references to the tensors that come out.
    """

    nodes: dict[str, Any]
    arguments: list[str]
    outputs: list[str]


class Trace(NamedTuple):
    """One call of a backbone in training.

    Attributes:
        body: `Body` of the whole.
        functions: `Body` of each function that is called within, by name.
        weights: names of the tensors in `body` that stand for variables, by the variables' id.
        layers: the layer that made an operation of `body`, by the operation's name.
        changed: dictionary from the id of a layer to the layer, for those that changed a state
            beside the statistics of `tfmgaug.layers.BatchNormalization`.
    """

    body: Body
    functions: dict[str, Body]
    weights: dict[int, str]
    layers: dict[str, Any]
    changed: dict[int, Any]

    def called_by(self, node: Any) -> list:
        """Returns the functions that an operation calls."""
        named = [attribute.func.name for attribute in node.attr.values()]
        listed = [f.name for attribute in node.attr.values() for f in attribute.list.func]
        return [self.functions[name] for name in (*named, *listed) if name in self.functions]

    def operations(self, node: Any) -> list:
        """Lists an operation and all that it calls."""
        inner = [n for body in self.called_by(node) for n in body.nodes.values()]
        return [node, *(operation for n in inner for operation in self.operations(n))]


def trace(backbone: keras.Model) -> Trace:
    """Traces one call of a backbone, in training.

    Args:
        backbone: functional or sequential `keras.Model` without models inside.

    Returns:
        A `Trace`.
    """
    variables, layers, changed = backbone.variables, {}, {}

    def run(values, x):
        with keras.StatelessScope(zip(variables, values)) as scope:

            def call(layer, *args, **kwargs):
                if isinstance(layer, keras.layers.Layer):
                    kwargs["training"] = True
                operations, state = set(_operations()), dict(scope.state_mapping)
                outputs = layer(*args, **kwargs)
                layers.update(dict.fromkeys(set(_operations()) - operations, layer))
                if _changes(layer, state, scope.state_mapping):
                    changed[id(layer)] = layer
                return outputs

            return keras.tree.flatten(graph_of(backbone)._run_through_graph(x, call_fn=call))[0]

    entrance = backbone.inputs[0]
    concrete = tf.function(run, autograph=False).get_concrete_function(
        [tf.TensorSpec(v.shape, v.dtype) for v in variables],
        tf.TensorSpec(entrance.shape, entrance.dtype),
    )
    graph = concrete.graph.as_graph_def()
    nodes = {node.name: node for node in graph.node}
    arguments = [tensor.op.name for tensor in concrete.inputs]
    body = Body(nodes, arguments, [output.name for output in concrete.outputs])
    functions = {
        function.signature.name: Body(
            {node.name: node for node in function.node_def},
            [argument.name for argument in function.signature.input_arg],
            [function.ret[output.name] for output in function.signature.output_arg],
        )
        for function in graph.library.function
    }
    weights = {id(v): name for v, name in zip(variables, arguments)}
    return Trace(body, functions, weights, layers, changed)


def refuse_states(traced: Trace) -> None:
    """Refuses layers that draw at random or change a state of their own when they are called.

    Args:
        traced: `Trace`.

    Raises:
        ValueError: there is one; the error names it.
    """
    layers = dict(traced.changed)
    for name, layer in traced.layers.items():
        kinds = [node.op for node in traced.operations(traced.body.nodes[name])]
        if any(_DRAWS.match(kind) or _ASSIGNS.match(kind) for kind in kinds):
            layers[id(layer)] = layer
    for layer in layers.values():
        raise ValueError(
            "Layers with a state of their own, such as Dropout and RandomFlip, break exact resume "
            "and would repeat their draws in the inner loop. Use the regularizers of "
            "tfmgaug.regularizers instead. "
            f"Received: layer {layer.name!r} ({type(layer).__name__})."
        )


def _operations():
    return [operation.name for operation in tf.compat.v1.get_default_graph().get_operations()]


def _changes(layer, before, after):
    """Whether a call changed variables: of the layer, or of a generator that it got hold of."""
    owners = layer._flatten_layers() if isinstance(layer, keras.layers.Layer) else ()
    norms = [owner for owner in owners if isinstance(owner, BatchNormalization)]
    free = {id(variable) for norm in norms for variable in (norm.mean, norm.variance)}
    return any(before.get(key) is not value for key, value in after.items() if key not in free)
