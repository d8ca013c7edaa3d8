"""The order in which a functional model calls its layers."""

from typing import Any

import keras


def graph_of(model: Any) -> Any:
    """Returns the graph of layers behind a functional or sequential model.

    Args:
        model: anything.

    Returns:
        A Keras function, or None: a layer, a model that isn't built, or one whose class defines
        `call` for itself.
    """
    if not isinstance(model, keras.Model) or not type(model).call.__module__.startswith("keras."):
        return None
    graph = getattr(model, "_functional", model)  # what stands behind a sequential model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def calls(model: keras.Model) -> list:
    """Lists a model's calls of layers, each after those whose results it takes.

    Args:
        model: a functional or sequential `keras.Model`, built.

    Returns:
        A list of Keras nodes, with `operation`, `input_tensors` and `outputs`. The first is the
        input's, the last the output's.

    Raises:
        TypeError: it is not a functional model.
        ValueError: it is not built, or has more than one input or output.
    """
    if isinstance(model, keras.Sequential) and not model.built:
        raise ValueError(
            "Expected a built model: call it once, or give its first layer an input shape. "
            f"Received: {model.name!r}."
        )
    functional = getattr(model, "_functional", model)  # what stands behind a sequential model
    if not hasattr(functional, "_nodes_by_depth"):
        raise TypeError(
            "Expected a functional or sequential keras.Model. "
            f"Received: {type(model).__name__} {getattr(model, 'name', '')!r}."
        )
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(
            "Expected a model with one input and one output. Received: "
            f"{len(model.inputs)} inputs and {len(model.outputs)} outputs."
        )
    by_depth = functional._nodes_by_depth
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
