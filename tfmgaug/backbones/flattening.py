"""Models without models inside: their innermost layers, called one after another."""

from collections.abc import Callable

import keras

from tfmgaug.backbones.graph import graph_of


def innermost(model: keras.Model) -> list[keras.Layer]:
    """Returns the layers of a model and of the functional models inside, each once, no inputs."""
    layers = {}
    for layer in model.layers:
        inner = [layer] if graph_of(layer) is None else innermost(layer)
        layers.update((id(leaf), leaf) for leaf in inner)
    return [leaf for leaf in layers.values() if not isinstance(leaf, keras.layers.InputLayer)]


def is_nested(model: keras.Model) -> bool:
    """Whether a functional model calls functional models."""
    return any(graph_of(layer) is not None for layer in model.layers)


def learnable(layer: keras.Layer) -> list[keras.Variable]:
    """Returns the variables that a layer may learn, frozen or not."""
    owners = getattr(layer, "_flatten_layers", list)()  # a Keras operation that isn't a layer: none
    return [variable for owner in owners for variable in owner._trainable_variables]


def rebuilt(
    model: keras.Model,
    replace: Callable[[keras.Layer], keras.Layer],
    entrance: keras.KerasTensor | None = None,
) -> keras.Model:
    """Builds a functional model again, out of its innermost layers.

    Args:
        model: a functional or sequential `keras.Model` with one input and one output.
        replace: function from a layer to the layer that stands in its place; it is asked at each
            call of the layer.
        entrance: Keras tensor to start from; None: an input like the model's.

    Returns:
        A functional `keras.Model` of the same name.
    """
    old = model.inputs[0]
    if entrance is None:
        entrance = keras.Input(batch_shape=old.shape, dtype=old.dtype, name=old.name)
    outputs = keras.tree.flatten(_through(model, entrance, replace))
    return keras.Model(entrance, outputs[0], name=model.name)


def _through(model, inputs, replace):
    def call(operation, *args, **kwargs):
        if graph_of(operation) is not None:
            return _through(operation, args[0], replace)
        return replace(operation)(*args, **kwargs)

    return graph_of(model)._run_through_graph(inputs, call_fn=call)


def flattened(
    model: keras.Model, convert: Callable[[keras.Layer], keras.Layer | None], copied: bool = False
) -> keras.Model:
    """Rebuilds a model out of its innermost layers, some of them replaced.

    Layers are shared with the original, so that training one trains the other. Where this is not
    wanted, or two layers have the same name, those that learn are copied.

    Args:
        model: as in `rebuilt`.
        convert: function from a layer to one that replaces it and takes the same weights, or None.
        copied: whether layers that learn are copied.

    Returns:
        A functional `keras.Model` with the original's weights.
    """
    names = _distinct_names(innermost(model), model.inputs[0].name)
    copied = copied or any(layer.name != names[id(layer)] for layer in innermost(model))
    twins = {}

    def twin(layer):
        new = convert(layer)
        renamed = names.get(id(layer), layer.name) != layer.name
        if new is None and (renamed or (copied and learnable(layer))):
            config = {**layer.get_config(), "name": names[id(layer)]}
            # The function of a Lambda is the user's own, of this very process.
            trusted = {"safe_mode": False} if isinstance(layer, keras.layers.Lambda) else {}
            new = type(layer).from_config(config, **trusted)
        return layer if new is None else new

    def replace(layer):
        if id(layer) not in twins:
            twins[id(layer)] = (layer, twin(layer))
        return twins[id(layer)][1]

    flat = rebuilt(model, replace)
    for layer, new in twins.values():
        if new is not layer and layer.weights:
            new.set_weights(layer.get_weights())
            if hasattr(new, "finalize_state"):  # Normalization keeps what it makes of its weights
                new.finalize_state()
    return flat


def _distinct_names(layers, name_of_input):
    """Names layers so that none has another's name, by the id of the layer."""
    names, taken = {}, {name_of_input}
    for layer in layers:
        name, number = layer.name, 1
        while name in taken:
            name, number = f"{layer.name}_{number}", number + 1
        taken.add(name)
        names[id(layer)] = name
    return names
