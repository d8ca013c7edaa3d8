"""The curvature of a loss: the spectral norm of its Hessian, which is never formed."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from tfmgaug.analysis.loss_landscape.vectors import dot, minus, norm, scaled, unit
from tfmgaug.engine.inner_loop import connected, dense
from tfmgaug.engine.params import Params
from tfmgaug.randomness import fold, normal
from tfmgaug.types import Tensor


class SpectralNorm(NamedTuple):
    """What Lanczos iteration finds.

    Attributes:
        norm: float64 scalar, `max |lambda|`.
        residual: float64 scalar: there is an eigenvalue this close to `norm` or to `-norm`.
        iterations: int32 scalar, how many products with the matrix it took.
    """

    norm: tf.Tensor
    residual: tf.Tensor
    iterations: tf.Tensor


def spectral_norm(
    product: Callable[[Params], Params],
    like: Params,
    key: Tensor,
    tolerance: float = 1e-3,
    max_iterations: int = 50,
) -> SpectralNorm:
    """Finds the largest absolute eigenvalue of a symmetric matrix, given its products alone.

    Lanczos iteration from a random start: both ends of the spectrum are found at once, so that
    negative eigenvalues count as positive ones do, also where the two largest are `lambda` and
    `-lambda`. It ends when the residual of the largest Ritz value is at most `tolerance` times this
    value, or after `max_iterations`. Three vectors are held, whatever the number of iterations.

    Args:
        product: function from a vector to the matrix times it, both named tensors.
        like: named tensors shaped like a vector.
        key: stateless key, `[2]`, of the start.
        tolerance: float > 0, relative. In float32 not much below 1e-5 is to be had.
        max_iterations: int >= 1.

    Returns:
        A `SpectralNorm`.

    Example:
        >>> spectral_norm(lambda v: hessian_product(loss, weights, v), weights, key(0)).norm

    Reference:
        Golub, Van Loan, Matrix Computations, 4th edition, Section 10.1.
    """
    start = unit(
        {
            name: normal(part.shape, fold(key, place), part.dtype)
            for place, (name, part) in enumerate(like.items())
        }
    )

    def advance(number, vectors, tridiagonal, _):
        before, current = vectors
        diagonal, beside = tridiagonal
        following = product(current)
        last = tf.where(number > 0, beside[number - 1], 0)
        following = minus(following, scaled(before, last))
        along = dot(following, current)
        following = minus(following, scaled(current, along))
        length = norm(following)
        diagonal = tf.tensor_scatter_nd_update(diagonal, [[number]], [along])
        largest, share = _largest_ritz_value(diagonal, beside, number)
        beside = tf.tensor_scatter_nd_update(beside, [[number]], [length])
        result = SpectralNorm(largest, length * share, number + 1)
        return number + 1, (current, unit(following)), (diagonal, beside), result

    zeros = tf.zeros([max_iterations], tf.float64)
    nothing = SpectralNorm(
        tf.zeros([], tf.float64), tf.constant(float("inf"), tf.float64), tf.constant(0)
    )
    return tf.while_loop(
        lambda number, vectors, tridiagonal, result: result.residual > tolerance * result.norm,
        advance,
        (
            tf.constant(0),
            (tf.nest.map_structure(tf.zeros_like, like), start),
            (zeros, zeros),
            nothing,
        ),
        maximum_iterations=max_iterations,
        parallel_iterations=1,
    )[3]


def _largest_ritz_value(diagonal, beside, number):
    """The largest absolute eigenvalue of a tridiagonal matrix, and its vector's last entry.

    Rows behind `number` are zero, and add eigenvalues that are zero.
    """
    linked = tf.where(tf.range(tf.size(beside)) < number, beside, 0)[:-1]
    padding = [[0, 1], [0, 1]]
    upper = tf.pad(tf.linalg.diag(linked), padding)
    upper = tf.roll(upper, 1, axis=1)
    values, vectors = tf.linalg.eigh(tf.linalg.diag(diagonal) + upper + tf.transpose(upper))
    largest = tf.argmax(tf.abs(values), output_type=tf.int32)
    return tf.abs(values[largest]), tf.abs(vectors[number, largest])


def hessian_product(loss: Callable[[Params], Tensor], weights: Params, vector: Params) -> Params:
    """Multiplies the Hessian of a loss with a vector.

    `H v = d(dL/dw . v)/dw`, for two passes back and forth. The Hessian is that of the function as
    TensorFlow differentiates it: stock batch normalization has a wrong one, `tfmgaug.layers` the
    exact one.

    Args:
        loss: function from named weights to a scalar.
        weights: tensors by name.
        vector: tensors of the same names and shapes.

    Returns:
        Tensors of the same names and shapes.
    """
    with tf.GradientTape() as outer:
        outer.watch(weights)
        gradients = gradient(loss, weights)
    # Where a gradient is constant, the Hessian is zero.
    products = outer.gradient(gradients, weights, vector, tf.UnconnectedGradients.ZERO)
    return {name: dense(product) for name, product in products.items()}


def gradient(loss: Callable[[Params], Tensor], weights: Params) -> Params:
    """Differentiates a loss.

    Args:
        loss: function from named weights to a scalar.
        weights: tensors by name.

    Returns:
        Tensors of the same names and shapes.
    """
    with tf.GradientTape() as tape:
        tape.watch(weights)
        value = loss(weights)
    return connected(tape.gradient(value, weights))
