"""BOIL: the body adapts, the head stays."""

from typing import Any

import keras

from tfmgaug.learners.maml import MAML
from tfmgaug.learners.part_learned import fixed


@keras.saving.register_keras_serializable("tfmgaug")
class BOIL(MAML):
    """Body only inner loop: MAML whose inner learning rate is zero for the classifier.

    The outer loop learns the classifier as well.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        **kwargs: of `MAML`, whose `adapts` is "body" here.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> BOIL(conv4(way=5, image_shape=(28, 28, 1)), inner_steps=1, inner_learning_rate=0.5)

    Reference:
        Oh et al., 2021, https://arxiv.org/abs/2008.08882, Section 3.
    """

    def __init__(self, backbone: keras.Model, **kwargs: Any) -> None:
        super().__init__(backbone, **fixed(self, kwargs, adapts="body"))
