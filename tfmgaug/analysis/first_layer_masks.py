"""Input masks: the pixels that each unit of a ticket's first layer reads."""

import numpy as np

from tfmgaug.learners import MetaTicket
from tfmgaug.types import Learner


def input_masks(learner: Learner) -> np.ndarray:
    """Reads the score masks of a ticket's first layer as images.

    Args:
        learner: `MetaTicket` whose backbone begins with a dense layer on all pixels, as `mlp` does.

    Returns:
        A boolean array `[units, height, width, channels]`: True where the unit sees the pixel.

    Raises:
        TypeError: the learner is no `MetaTicket`.
        ValueError: its first layer is no dense layer on the pixels of an image.

    Example:
        >>> tfmgaug.figures.save(tfmgaug.figures.input_mask_grid(input_masks(learner)), "masks.png")

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Figure 4.
    """
    if not isinstance(learner, MetaTicket):
        raise TypeError(
            "Input masks are those of a MetaTicket: other learners have none. "
            f"Received: {type(learner).__name__}."
        )
    shape, first = learner.image_shape, next(iter(learner.network.variables))
    kernel = learner.score_mask.masks().get(first)
    if len(shape) != 3 or kernel is None or kernel.shape[:-1] != (np.prod(shape),):
        received = None if kernel is None else tuple(kernel.shape)
        raise ValueError(
            "Expected a first layer that is dense, on all pixels of an image. Received: "
            f"{learner.backbone.name!r}, of inputs {tuple(shape)} and a first mask {received}."
        )
    return np.moveaxis(kernel.numpy(), -1, 0).reshape(-1, *shape) > 0
