"""A backbone as a chain of smaller models."""

import itertools
import re

import keras

from tfmgaug.backbones.flattening import flattened, is_nested
from tfmgaug.backbones.graph import calls


def stages(backbone: keras.Model) -> list[keras.Model]:
    """Divides a backbone into models that follow one another.

    `backbone(x) = stage_n(...stage_2(stage_1(x)))`. The models are made of the backbone's own
    layers: training one trains the other.

    A backbone is divided after each layer named `stage<number>`, as those of this package are: the
    blocks, then what makes the embeddings or logits of the last one. Another functional model is
    divided after every layer whose output is all that the layers behind it see: where there is no
    branch, each layer is a stage, and all that a skip connection spans is one. Models inside it are
    taken apart first.

    Args:
        backbone: a functional or sequential `keras.Model` with one input and one output. Of a
            learner, take `learner.backbone`: a user's model may have been converted.

    Returns:
        A list of `keras.Model`, each named after its last layer. Their weights belong to the
        backbone; use `forward(..., model=stage)` of a learner. Every call leaves marks on the
        backbone's layers, as any new model of them does: keep the list.

    Raises:
        TypeError: the backbone is not a functional model.
        ValueError: it has several inputs or outputs, or is not built.

    Example:
        >>> [stage.name for stage in stages(conv4(way=5, image_shape=(28, 28, 1)))]
        ['stage1', 'stage2', 'stage3', 'stage4', 'head']
    """
    order = calls(backbone)
    if is_nested(backbone):
        backbone = flattened(backbone, lambda layer: None)
        order = calls(backbone)
    narrow = _narrow(order)
    named = [node for node in narrow if re.fullmatch(r"stage\d+", node.operation.name)]
    ends = [node for node in named or narrow if node is not order[-1]]
    tensors = [backbone.inputs[0], *(node.outputs[0] for node in ends), backbone.outputs[0]]
    names = [node.operation.name for node in (*ends, order[-1])]
    return [
        keras.Model(start, end, name=name)
        for (start, end), name in zip(itertools.pairwise(tensors), names)
    ]


def _narrow(order):
    """Picks the calls whose single result is all that later calls take from earlier ones."""
    last_use = {id(x): place for place, node in enumerate(order) for x in node.input_tensors}
    narrow, reach = [], 0  # reach: the last place where a result from before this one is taken
    for place, node in enumerate(order):
        if not node.is_input and len(node.outputs) == 1 and reach <= place:
            narrow.append(node)
        reach = max([reach, *(last_use.get(id(x), place) for x in node.outputs)])
    return narrow
