"""FOMAML: MAML without second-order terms."""

from collections.abc import Callable
from typing import Any

import keras

from tfmgaug.learners.maml import MAML
from tfmgaug.learners.part_learned import fixed


@keras.saving.register_keras_serializable("tfmgaug")
class FOMAML(MAML):
    """First-order MAML: the meta-gradient is the query gradient at the adapted weights.

    `theta <- theta - beta * 1/T sum_t dL_query(theta'_t)/dtheta'_t`.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        **kwargs: of `MAML`, whose `first_order` is True here.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> FOMAML(conv4(way=5, image_shape=(28, 28, 1)), augmentation=MGAug(CatfishMask()))

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Section 5.2.
    """

    def __init__(self, backbone: keras.Model, **kwargs: Any) -> None:
        super().__init__(backbone, **fixed(self, kwargs, first_order=True))

    @property
    def changeable(self) -> dict[str, Callable]:
        return {name: of for name, of in super().changeable.items() if name != "first_order"}
