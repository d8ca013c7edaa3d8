"""The networks in JAX, as functions of a dictionary of weights."""

import jax
import jax.numpy as jnp

_EPSILON = 1e-3


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
    if workload.hidden:
        x = x.reshape(len(x), -1)
    for layer in range(1, (len(workload.hidden) or 4) + 1):
        name = f"dense{layer}/kernel" if workload.hidden else f"conv{layer}/kernel"
        kernel = weights[name] if masks is None else weights[name] * masks[name]
        x = x @ kernel.astype(dtype) if workload.hidden else _convolve(x, kernel.astype(dtype))
        x = _normalize(x, weights[f"norm{layer}/gamma"], weights[f"norm{layer}/beta"])
        x = jax.nn.relu(x if workload.hidden else _pool(x))
    x = x.reshape(len(x), -1)
    if workload.head:
        kernel = weights["head/kernel"].reshape(x.shape[-1], -1).astype(dtype)
        x = x @ kernel + weights["head/bias"].astype(dtype)
    return x.astype(jnp.float32)


def cross_entropy(logits, labels):
    """Averages the cross-entropy of integer labels."""
    chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1)
    return -chosen.mean()


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
