"""An interior-point method for the dual of a multi-class SVM, differentiable in the kernel."""

from typing import Any, NamedTuple

import tensorflow as tf

from tfmgaug.custom_gradient import custom_gradient
from tfmgaug.types import Tensor

# Gradients feel the gap divided by squared distances from the bounds: it is closed farther than a
# solution alone would need, which takes a few steps more.
_GAP = 1e-20  # between primal and dual, relative
_ITERATIONS = 60  # at most; ten to twenty suffice
_SHARE = 0.99  # of the way to the boundary that a step goes, far from the solution,
_LEFT = 1e-6  # and what it leaves of the way near it, where steps are as good as exact


class _Point(NamedTuple):
    """The variables of the method; all are float64 `[way, n]`, except the last.

    Attributes:
        solution: a, the primal variables of the quadratic program.
        slack: how far a is below its bounds, > 0: kept, since a difference would round to zero.
        multipliers: z > 0, of the bounds.
        levels: nu `[n]`, multipliers of the sums.
    """

    solution: Any
    slack: Any
    multipliers: Any
    levels: Any


def solve(kernel: Tensor, labels: Tensor, cost: float) -> Tensor:
    """Solves the quadratic program of a Crammer-Singer support vector machine.

    `min over a: 1/2 sum_m a_m^T K a_m - sum_mi Y_mi a_mi`, subject to `a_mi <= cost * Y_mi` and
    `sum_m a_mi = 0`.

    Primal-dual interior points with Mehrotra's corrector, down to rounding. A Newton step takes one
    factorization of `[n, n]` for each class, instead of one of `[n * way, n * way]`. The gradient
    is that of the solution: the optimality conditions at it are linear in small changes, and
    solved with the same factorization. It can't be differentiated again.

    Args:
        kernel: K, float64 `[n, n]`, positive definite.
        labels: Y, one-hot, float64 `[way, n]`. They have no gradient.
        cost: float > 0.

    Returns:
        a, float64 `[way, n]`; not a number where the kernel is not finite.

    Reference:
        Mehrotra, On the implementation of a primal-dual interior point method, 1992.
        Amos and Kolter, OptNet, 2017, https://arxiv.org/abs/1703.00443, Eq. 6.
    """
    bounds = cost * labels

    @custom_gradient
    def solved(kernel):
        # A factorization of what is not finite would end the program.
        finite = tf.reduce_all(tf.math.is_finite(kernel))
        safe = tf.where(finite, kernel, tf.eye(tf.shape(kernel)[0], dtype=kernel.dtype))
        point = _interior_point(safe, labels, bounds)

        def gradient(upstream):
            newton = _Newton(safe, point.multipliers / point.slack)
            # With P symmetric, da = -P dK a, so that <upstream, da> = -<P upstream, dK a>.
            moved, _ = newton.step(upstream, tf.zeros_like(point.levels))
            slope = -tf.matmul(moved, point.solution, transpose_a=True)
            return tf.raw_ops.PreventGradient(
                input=slope, message="The gradient of an SVM head can't be differentiated again."
            )

        nowhere = tf.constant(float("nan"), kernel.dtype)
        solution = tf.minimum(point.solution, bounds)  # which rounding may miss
        return tf.where(finite, solution, nowhere), gradient

    return solved(kernel)


def _interior_point(kernel, labels, bounds):
    """Returns the `_Point` that solves the program, down to rounding."""
    floor = 1e-16 * tf.reduce_sum(bounds)  # one class alone has the solution zero
    largest = tf.reduce_max(tf.abs(kernel))

    def errors(point):
        """The duality gap, and how far the conditions are from holding, in units of the labels."""
        stationarity, sums = _residuals(kernel, labels, point)
        residual = tf.reduce_max(tf.abs(stationarity)) + largest * tf.reduce_max(tf.abs(sums))
        return tf.reduce_sum(point.slack * point.multipliers), residual

    def improve(number, point, gap, residual, _):
        point = _improved(kernel, labels, point)
        new_gap, new_residual = errors(point)
        value = tf.maximum(tf.reduce_sum(labels * point.solution), floor)
        closing = (new_gap < gap) | (new_residual < residual)
        # Residuals end in rounding, below which no step gets them.
        refining = new_residual < residual / 2
        going = tf.where(new_gap > _GAP * value, closing, refining)
        return number + 1, point, new_gap, new_residual, going

    start = _start(labels, bounds)
    return tf.while_loop(
        lambda number, point, gap, residual, going: going,
        improve,
        (tf.constant(0), start, *errors(start), tf.constant(True)),
        parallel_iterations=1,
        maximum_iterations=_ITERATIONS,
    )[1]


def _start(labels, bounds):
    """Within the bounds, and with sums of zero where there are two classes or more."""
    half = tf.reduce_max(bounds) / 2
    others = tf.cast(tf.maximum(tf.shape(labels)[0] - 1, 1), labels.dtype)
    solution = half * (labels - (1 - labels) / others)
    return _Point(solution, bounds - solution, tf.ones_like(labels), tf.zeros_like(labels[0]))


def _residuals(kernel, labels, point):
    """How far the conditions of a saddle point are from holding."""
    stationarity = tf.matmul(point.solution, kernel) - labels + point.multipliers + point.levels
    return stationarity, tf.reduce_sum(point.solution, 0)


def _improved(kernel, labels, point):
    """Makes one step of Mehrotra's method."""
    slack = point.slack
    newton = _Newton(kernel, point.multipliers / slack)
    stationarity, sums = _residuals(kernel, labels, point)

    def direction(complementarity):
        """The step after which `slack * multipliers` would be this, to first order."""
        right = point.multipliers - stationarity - complementarity / slack
        move, levels = newton.step(right, -sums)
        multipliers = (complementarity + point.multipliers * move) / slack - point.multipliers
        return _Point(move, -move, multipliers, levels)

    def length(step):
        """How far a step can go, up to 1, until slack or multipliers vanish."""
        return tf.minimum(
            _distance(slack, step.slack), _distance(point.multipliers, step.multipliers)
        )

    mean = tf.reduce_mean(slack * point.multipliers)
    greedy = direction(tf.zeros_like(slack))
    far = length(greedy)
    left = tf.reduce_mean(
        (slack + far * greedy.slack) * (point.multipliers + far * greedy.multipliers)
    )
    centering = (left / mean) ** 3
    step = direction(centering * mean + greedy.solution * greedy.multipliers)
    left_over = tf.clip_by_value(mean / tf.reduce_max(slack), _LEFT, 1 - _SHARE)
    share = tf.minimum((1 - left_over) * length(step), 1.0)
    return _Point(*(now + share * move for now, move in zip(point, step)))


def _distance(positive, move):
    """The largest share of a move that leaves all entries positive, at most about 1."""
    blocking = tf.where(move < 0, -positive / move, tf.ones_like(move) / _SHARE)
    return tf.minimum(tf.reduce_min(blocking), 1 / _SHARE)


class _Newton:
    """The linear system of a Newton step, factorized.

    `(K + diag(d_m)) x_m + y = right_m` for each class m, and `sum_m x_m = sums`.

    Args:
        kernel: K, `[n, n]`.
        diagonal: d > 0, `[way, n]`.
    """

    def __init__(self, kernel, diagonal):
        self._factors = tf.linalg.cholesky(kernel + tf.linalg.diag(diagonal))
        identity = tf.eye(tf.shape(kernel)[0], dtype=kernel.dtype)
        identities = tf.broadcast_to(identity, tf.shape(self._factors))
        inverses = tf.linalg.cholesky_solve(self._factors, identities)
        self._coupling = tf.linalg.cholesky(tf.reduce_sum(inverses, 0))

    def step(self, right, sums):
        """Solves for x `[way, n]` and y `[n]`, given `right` `[way, n]` and `sums` `[n]`."""
        apart = self._class_by_class(right)
        excess = tf.reduce_sum(apart, 0) - sums
        levels = tf.linalg.cholesky_solve(self._coupling, excess[:, None])[:, 0]
        return self._class_by_class(right - levels), levels

    def _class_by_class(self, right):
        return tf.linalg.cholesky_solve(self._factors, right[..., None])[..., 0]
