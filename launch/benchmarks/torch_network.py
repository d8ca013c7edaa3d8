"""The networks in PyTorch, as functions of a list of weights."""

import numpy as np
import torch
from torch.nn import functional

EPSILON = 1e-3
SLOPE = 0.1  # of LeakyReLU below zero


def convert(weights, channels_last=False):
    """Converts weights to PyTorch's layout.

    Args:
        weights: dictionary from `Problem`.
        channels_last: whether convolution kernels lie in memory with their channels last.

    Returns:
        A list of float32 tensors: `[out, in, height, width]` for convolutions, `[out, in]` for
        dense layers.
    """
    return [
        _convert_head(value) if name == "head/kernel" else convert_one(value, channels_last)
        for name, value in weights.items()
    ]


def convert_one(value, channels_last=False):
    """Converts one array, but the head's kernel, or a mask; see `convert`."""
    tensor = torch.from_numpy(np.ascontiguousarray(value))
    if tensor.ndim == 4:  # [height, width, in, out]
        tensor = tensor.permute(3, 2, 0, 1).contiguous()
        return tensor.to(memory_format=torch.channels_last) if channels_last else tensor
    return tensor.T.contiguous() if tensor.ndim == 2 else tensor


def _convert_head(value):
    if value.ndim == 2:
        return convert_one(value)
    return convert_one(value).flatten(1)  # features are flattened channels first


def images(x, channels_last=False):
    """Converts uint8 images `[..., height, width, channels]` to channels first."""
    tensor = torch.from_numpy(x).movedim(-1, -3)
    # Channels last in memory is how they come.
    return tensor if channels_last else tensor.contiguous()


def forward(weights, x, workload, masks=None, one_type=False):
    """Calls the network.

    Args:
        weights: list from `convert`.
        x: standardized images `[n, channels, height, width]`.
        workload: `Workload`.
        masks: list of masks of the pruned kernels, in their order, or None.
        one_type: whether batch normalization gets its weights in the type of its inputs, which
            `torch.func.vmap` asks for.

    Returns:
        Logits `[n, way]`, or embeddings `[n, features]`, in float32.
    """
    layer = _Layers(weights, masks, one_type)
    if workload.hidden:
        x = x.flatten(1)
        for _ in workload.hidden:
            x = functional.relu(layer(x))
    elif workload.blocks:
        for _ in workload.blocks:
            x = _residual_block(layer, x)
        x = x.mean((2, 3))
    else:
        for _ in range(4):
            x = functional.relu(functional.max_pool2d(layer(x), 2))
        x = x.flatten(1)
    if workload.head:
        x = functional.linear(x, weights[-2], weights[-1])
    return x.float()


def _residual_block(layer, x):
    y = functional.leaky_relu(layer(x), SLOPE)
    y = functional.leaky_relu(layer(y), SLOPE)
    y = layer(y) + layer(x)
    return functional.leaky_relu(functional.max_pool2d(y, 2), SLOPE)


class _Layers:
    """Convolutions or dense layers, each with its normalization, one after the other."""

    def __init__(self, weights, masks, one_type):
        self._weights, self._masks = iter(weights), None if masks is None else iter(masks)
        self._one_type = one_type

    def __call__(self, x):
        """Calls the layer whose turn it is."""
        kernel, gamma, beta = (next(self._weights) for _ in range(3))
        if self._masks is not None:
            kernel = kernel * next(self._masks)
        if kernel.ndim == 2:
            x = functional.linear(x, kernel)
        else:
            x = functional.conv2d(x, kernel, padding=kernel.shape[-1] // 2)
        if self._one_type:
            gamma, beta = gamma.to(x.dtype), beta.to(x.dtype)
        return functional.batch_norm(x, None, None, gamma, beta, training=True, eps=EPSILON)
