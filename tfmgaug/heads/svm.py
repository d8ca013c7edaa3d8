"""The multi-class support vector machine of Crammer and Singer."""

import keras
import tensorflow as tf

from tfmgaug.heads import interior_point
from tfmgaug.heads.head import Head
from tfmgaug.types import Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class SVMHead(Head):
    """A support vector machine: its dual problem, solved exactly and differentiated implicitly.

    `min over a: 1/2 sum_m a_m^T K a_m - sum_im Y_im a_im`
    `subject to a_im <= cost * Y_im and sum_m a_im = 0`

    for support examples i and classes m, where Y are the one-hot labels and K holds the inner
    products of the embeddings, plus `diagonal` on its diagonal.

    Args:
        cost: float > 0, C, the cost of errors.
        diagonal: float > 0, added to the kernel's diagonal. It makes the solution unique, and so
            differentiable. The paper has none, its code 1, which is little beside the embeddings of
            a ResNet-12.

    Raises:
        ValueError: an argument is not positive.

    Example:
        >>> MetaOptNet(backbone, head=SVMHead(cost=0.1))

    Reference:
        Crammer and Singer, 2001, https://jmlr.org/papers/v2/crammer01a.html, Section 4.
        Lee et al., 2019, https://arxiv.org/abs/1904.03758, Eqs. 6 to 8.
    """

    def __init__(self, cost: float = 0.1, diagonal: float = 1.0) -> None:
        for name, value in (("cost", cost), ("diagonal", diagonal)):
            if not value > 0:
                raise ValueError(f"`{name}` must be positive. Received: {name}={value}.")
        self.cost = cost
        self.diagonal = diagonal

    def coefficients(self, kernel: Tensor, hot: Tensor) -> Tensor:
        ridge = self.diagonal * tf.eye(tf.shape(kernel)[0], dtype=kernel.dtype)
        # [way, n]: the solver takes the classes one by one, coupled by the sums alone.
        hot = tf.transpose(hot)
        # A class without examples would take part in the sums, and move the others' solution.
        present = tf.reduce_any(hot > 0, axis=1)
        solution = interior_point.solve(kernel + ridge, tf.boolean_mask(hot, present), self.cost)
        solution = tf.scatter_nd(tf.where(present), solution, tf.shape(hot, tf.int64))
        return tf.transpose(solution)
