"""Max pooling and batch moments of one tensor, in as few passes over memory as there can be.

Large feature maps cost what it takes to read and write them, so the passes over them are compiled:
each `_fused` function below becomes one loop or two. What is compiled is written out in elementary
operations, whose gradients XLA gets right (of `tf.nn.max_pool2d` it does not, at second order).
"""

import tensorflow as tf

from tfmgaug.custom_gradient import custom_gradient
from tfmgaug.types import Tensor


def _fused(function):
    return tf.function(function, jit_compile=True, autograph=False)


def pooled_moments(x: Tensor, sign: Tensor, padded: bool = False) -> tuple[Tensor, ...]:
    """Pools 2x2 windows and measures the batch; differentiable to any order.

    `pooled = S x`, where S picks from each window the first entry with the highest `sign * x`;
    `mean`, `variance` (biased) are per channel, over all of x. The gradient, in one pass:
    `dx = S^T dpooled + dmean / n + 2 (x - mean) dvariance / n`.

    Args:
        x: `[batch, height, width, channels]`, of static shape.
        sign: `[channels]` of 1 or -1, in the precision of the moments.
        padded: bool, whether a last odd row or column has windows, which hang over the edge.
            Otherwise it takes part in the moments alone.

    Returns:
        `[batch, height // 2, width // 2, channels]` like `x`, halves rounded up if padded, and two
        `[channels]` like `sign`.
    """

    @custom_gradient
    def pool(x):
        pooled, mean, variance = _pool(x, sign, padded)

        def gradient(dpooled, dmean, dvariance):
            slope = 2 * dvariance / _count(x)
            return _spread(x, sign, padded, dpooled, slope, dmean / _count(x) - slope * mean)

        return (pooled, mean, variance), gradient

    return pool(x)


def normalize_pooled(pooled: Tensor, mean: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Computes `(pooled - mean) * scale + offset` per channel, differentiable to any order."""

    @custom_gradient
    def normalize(pooled, mean, scale, offset):
        def gradient(dy):
            return _normalize_gradient(pooled, mean, scale, dy)

        return _normalize(pooled, mean, scale, offset), gradient

    return normalize(pooled, mean, scale, offset)


def _spread(x, sign, padded, dpooled, slope, shift):
    """Computes `S^T dpooled + slope * x + shift`, with its gradient: the gradient's gradient."""

    @custom_gradient
    def spread(x, dpooled, slope, shift):
        def gradient(u):
            return _spread_gradient(x, sign, padded, slope, u)

        return _spread_once(x, sign, padded, dpooled, slope, shift), gradient

    return spread(x, dpooled, slope, shift)


# One compiled loop over memory each.


@_fused
def _pool(x, sign, padded):
    wide = tf.cast(x, sign.dtype)
    mean = _mean(wide)
    a, b, c, d = _signed_windows(x, sign, padded)
    pooled = sign * tf.maximum(tf.maximum(a, b), tf.maximum(c, d))
    return tf.cast(pooled, x.dtype), mean, _mean(tf.square(wide - mean))


@_fused
def _spread_once(x, sign, padded, dpooled, slope, shift):
    height, width = 2 * dpooled.shape[1], 2 * dpooled.shape[2]
    positions = tf.reshape(tf.range(4), [1, 1, 2, 1, 2, 1])
    chosen = tf.equal(positions, _position(x, sign, padded)[:, :, None, :, None, :])
    wide = tf.cast(dpooled, sign.dtype)[:, :, None, :, None, :]
    spread = tf.where(chosen, wide, tf.zeros([], sign.dtype))
    spread = tf.reshape(spread, [x.shape[0], height, width, x.shape[3]])
    if padded:  # what hangs over the edge is never chosen
        spread = spread[:, : x.shape[1], : x.shape[2]]
    else:
        spread = tf.pad(spread, [[0, 0], [0, x.shape[1] - height], [0, x.shape[2] - width], [0, 0]])
    return tf.cast(spread + slope * tf.cast(x, sign.dtype) + shift, x.dtype)


@_fused
def _spread_gradient(x, sign, padded, slope, u):
    position = _position(x, sign, padded)
    a, b, c, d = _windows(u, padded)
    dpooled = tf.where(position < 2, tf.where(position < 1, a, b), tf.where(position < 3, c, d))
    wide = tf.cast(u, sign.dtype)
    dx = tf.cast(slope * wide, x.dtype)
    return dx, dpooled, _sum(wide * tf.cast(x, sign.dtype)), _sum(wide)


@_fused
def _normalize(pooled, mean, scale, offset):
    return tf.cast((tf.cast(pooled, mean.dtype) - mean) * scale + offset, pooled.dtype)


@_fused
def _normalize_gradient(pooled, mean, scale, dy):
    wide, doffset = tf.cast(dy, mean.dtype), _sum(tf.cast(dy, mean.dtype))
    dscale = _sum(wide * (tf.cast(pooled, mean.dtype) - mean))
    return tf.cast(wide * scale, pooled.dtype), -scale * doffset, dscale, doffset


def _windows(x, padded):
    """The four entries of each window: upper left, upper right, lower left, lower right."""
    odd_row, odd_column = x.shape[1] % 2, x.shape[2] % 2
    if padded and (odd_row or odd_column):
        # The edge once more: of equal entries the first is picked, which is the image's own.
        x = tf.pad(x, [[0, 0], [0, odd_row], [0, odd_column], [0, 0]], "SYMMETRIC")
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    return [x[:, row:height:2, column:width:2] for row in (0, 1) for column in (0, 1)]


def _signed_windows(x, sign, padded):
    # Widened first: on the CPU each operation in bfloat16 would round its result by itself.
    return [sign * window for window in _windows(tf.cast(x, sign.dtype), padded)]


def _position(x, sign, padded):
    """Which entry of each window is picked: the first of the highest, as max pooling does."""
    a, b, c, d = _signed_windows(x, sign, padded)
    upper, lower = tf.where(a >= b, 0, 1), tf.where(c >= d, 2, 3)
    return tf.where(tf.maximum(a, b) >= tf.maximum(c, d), upper, lower)


def _count(x):
    return x.shape.num_elements() // x.shape[-1]


def _mean(x):
    # By rows first: XLA runs rows in parallel, but one reduction over all axes on a single core.
    # (Sums of sums it would merge into one.)
    rows = tf.reshape(x, [-1, *x.shape[-2:]])
    return tf.reduce_mean(tf.reduce_mean(rows, 1), 0)


def _sum(x):
    return _mean(x) * _count(x)
