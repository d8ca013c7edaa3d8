"""The networks in PyTorch, as functions of a list of weights."""

import numpy as np
import torch
from torch.nn import functional

EPSILON = 1e-3


def convert(weights, channels_last=False):
    """Converts weights to PyTorch's layout.

    Args:
        weights: dictionary from `Problem`, or of masks with leading axes.
        channels_last: whether convolution kernels lie in memory with their channels last.

    Returns:
        A list of float32 tensors: `[out, in, height, width]` for convolutions, `[out, in]` for
        dense layers.
    """
    return [convert_one(value, channels_last) for value in weights.values()]


def convert_one(value, channels_last=False):
    """Converts one array; see `convert`."""
    tensor = torch.from_numpy(np.ascontiguousarray(value))
    if tensor.ndim == 4 and tensor.shape[:2] == (3, 3):  # [height, width, in, out]
        tensor = tensor.permute(3, 2, 0, 1).contiguous()
        return tensor.to(memory_format=torch.channels_last) if channels_last else tensor
    if tensor.ndim == 4:  # the head's: features are flattened channels first
        return tensor.permute(3, 2, 0, 1).flatten(1).contiguous()
    return tensor.T.contiguous() if tensor.ndim == 2 else tensor


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
    layers = len(workload.hidden) or 4
    if workload.hidden:
        x = x.flatten(1)
    for layer in range(layers):
        kernel, gamma, beta = weights[3 * layer : 3 * layer + 3]
        if masks is not None:
            kernel = kernel * masks[layer]
        if workload.hidden:
            x = functional.linear(x, kernel)
        else:
            x = functional.conv2d(x, kernel, padding=1)
        if one_type:
            gamma, beta = gamma.to(x.dtype), beta.to(x.dtype)
        x = functional.batch_norm(x, None, None, gamma, beta, training=True, eps=EPSILON)
        if not workload.hidden:
            x = functional.max_pool2d(x, 2)
        x = functional.relu(x)
    x = x.flatten(1)
    if workload.head:
        x = functional.linear(x, weights[-2], weights[-1])
    return x.float()
