"""The networks in JAX, as functions of a dictionary of weights."""

import jax
import jax.numpy as jnp

from launch.benchmarks.layers import layers

_EPSILON = 1e-3
_SLOPE = 0.1  # of LeakyReLU below zero


def forward(weights, x, workload, dtype, masks=None):
    """Calls the network.

    Args:
        weights: dictionary of float32 arrays, as `Problem` has them.
        x: standardized images `[n, height, width, channels]`.
        workload: `Workload`.
        dtype: what convolutions and products compute in; statistics are float32.
        masks: dictionary of masks of the pruned kernels, or None.

    Returns:
        Logits `[n, way]`, or embeddings `[n, features]`, in float32.
    """
    x = x.astype(dtype)
    following = iter(layers(workload))

    def layer(x):
        """Calls the layer whose turn it is, and the normalization behind it."""
        name, norm, *_ = next(following)
        kernel = weights[f"{name}/kernel"]
        if masks is not None:
            kernel = kernel * masks[f"{name}/kernel"]
        kernel = kernel.astype(dtype)
        x = x @ kernel if kernel.ndim == 2 else _convolve(x, kernel)
        return _normalize(x, weights[f"{norm}/gamma"], weights[f"{norm}/beta"])

    if workload.hidden:
        x = x.reshape(len(x), -1)
        for _ in workload.hidden:
            x = jax.nn.relu(layer(x))
    elif workload.blocks:
        for _ in workload.blocks:
            x = _residual_block(layer, x)
        x = x.mean((1, 2))
    else:
        for _ in range(4):
            x = jax.nn.relu(_pool(layer(x)))
        x = x.reshape(len(x), -1)
    if workload.head:
        kernel = weights["head/kernel"].reshape(x.shape[-1], -1).astype(dtype)
        x = x @ kernel + weights["head/bias"].astype(dtype)
    return x.astype(jnp.float32)


def cross_entropy(logits, labels):
    """Averages the cross-entropy of integer labels."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -chosen.mean()


def _residual_block(layer, x):
    y = jax.nn.leaky_relu(layer(x), _SLOPE)
    y = jax.nn.leaky_relu(layer(y), _SLOPE)
    y = layer(y) + layer(x)
    return jax.nn.leaky_relu(_pool(y), _SLOPE)


def _convolve(x, kernel):
    layout = ("NHWC", "HWIO", "NHWC")
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=layout)


def _normalize(x, gamma, beta):
    axes = tuple(range(x.ndim - 1))
    wide = x.astype(jnp.float32)
    mean = wide.mean(axes)
    variance = jnp.square(wide - mean).mean(axes)
    scale = gamma * jax.lax.rsqrt(variance + _EPSILON)
    return (wide * scale + (beta - mean * scale)).astype(x.dtype)


def _pool(x):
    # The maximum of four slices: the gradient of a window reduction is a slow scatter on CPUs.
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    x = x[:, :height, :width]
    n, _, _, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).max(axis=(2, 4))
