"""Ridge regression on one-hot labels."""

import keras
import tensorflow as tf

from tfmgaug.heads.head import Head
from tfmgaug.types import Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class RidgeHead(Head):
    """Ridge regression: `a = (K + regularization * I)^-1 Y`.

    K holds the inner products of the support embeddings, Y the one-hot labels. (The authors' code
    doubles a, which the learned scale of `MetaOptNet` takes up.)

    Args:
        regularization: float > 0, lambda, of the squared norm.

    Raises:
        ValueError: `regularization` is not positive.

    Example:
        >>> MetaOptNet(backbone, head=RidgeHead(50.0))

    Reference:
        Bertinetto et al., 2019, https://arxiv.org/abs/1805.08136, Eq. 4.
        Lee et al., 2019, https://arxiv.org/abs/1904.03758, Section 3.4.
    """

    def __init__(self, regularization: float = 50.0) -> None:
        if not regularization > 0:
            raise ValueError(f"`regularization` must be positive. Received: {regularization}.")
        self.regularization = regularization

    def coefficients(self, kernel: Tensor, hot: Tensor) -> Tensor:
        ridge = self.regularization * tf.eye(tf.shape(kernel)[0], dtype=kernel.dtype)
        return tf.linalg.solve(kernel + ridge, hot)
