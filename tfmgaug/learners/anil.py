"""ANIL: the head adapts, the body stays."""

from typing import Any

import keras

from tfmgaug.learners.maml import MAML
from tfmgaug.learners.part_learned import fixed


@keras.saving.register_keras_serializable("tfmgaug")
class ANIL(MAML):
    """Almost no inner loop: MAML that adapts the classifier alone.

    The body is computed once per task, so that inner steps cost next to nothing. It is
    meta-learned, through support and query embeddings alike.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        **kwargs: of `MAML`, whose `adapts` is "head" here.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> ANIL(conv4(way=5, image_shape=(28, 28, 1)), inner_learning_rate=0.1)

    Reference:
        Raghu et al., 2020, https://arxiv.org/abs/1909.09157, Section 4.
    """

    def __init__(self, backbone: keras.Model, **kwargs: Any) -> None:
        super().__init__(backbone, **fixed(self, kwargs, adapts="head"))
