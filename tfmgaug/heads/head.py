"""The base of all heads: a convex problem in the kernel of a support set."""

import tensorflow as tf

from tfmgaug.configured import Configured
from tfmgaug.types import Tensor


class Head(Configured):
    """A linear classifier whose weights are combinations of support embeddings.

    `W = sum_i f(x_i) a_i^T`, and subclasses find the coefficients `a_i`, one for each class.
    """

    def weights(self, embeddings: Tensor, labels: Tensor, way: Tensor) -> Tensor:
        """Solves for the classifier of a support set.

        It solves in float64, and what it returns can be differentiated once.

        Args:
            embeddings: `[n, features]`.
            labels: integers `[n]`, from 0 to way - 1.
            way: int32 scalar, the number of classes.

        Returns:
            A tensor `[features, way]` in the precision of the embeddings.
        """
        exact = tf.cast(embeddings, tf.float64)
        hot = tf.one_hot(labels, way, dtype=tf.float64)
        coefficients = self.coefficients(tf.matmul(exact, exact, transpose_b=True), hot)
        return tf.cast(tf.matmul(exact, coefficients, transpose_a=True), embeddings.dtype)

    def coefficients(self, kernel: Tensor, hot: Tensor) -> Tensor:
        """Solves for the coefficients of the support examples.

        Args:
            kernel: inner products of the embeddings, float64 `[n, n]`.
            hot: labels, one-hot, float64 `[n, way]`.

        Returns:
            A float64 tensor `[n, way]`.
        """
        raise NotImplementedError
