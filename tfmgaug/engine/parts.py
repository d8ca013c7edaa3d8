"""A network divided at the layers behind which activations are perturbed."""

from collections.abc import Sequence

import keras

from tfmgaug.backbones.graph import calls


def parts_behind(model: keras.Model, places: Sequence[str]) -> list[tuple[keras.Model, str | None]]:
    """Divides a model behind some of its layers.

    Args:
        model: a functional `keras.Model`.
        places: names of layers whose single result is all that later ones take of what was before;
            those that the model doesn't have are skipped.

    Returns:
        A list of (`keras.Model`, name of the layer behind which it ends); the name is None where a
        part ends with the model, and behind none of these layers. All share the model's layers.
    """
    ends = [node for node in calls(model) if node.operation.name in places]
    if not ends:
        return [(model, None)]
    start, parts = model.inputs[0], []
    for node in ends:
        parts.append((keras.Model(start, node.outputs[0]), node.operation.name))
        start = node.outputs[0]
    if start is not model.outputs[0]:
        parts.append((keras.Model(start, model.outputs[0]), None))
    return parts
