"""The networks as PyTorch modules, for libraries that work on modules."""

from torch import nn
from torch.nn import functional

from launch.benchmarks.torch_network import EPSILON


class MaskableConv2d(nn.Conv2d):
    """A convolution whose kernel may be masked."""

    mask = None

    def forward(self, x):
        kernel = self.weight if self.mask is None else self.weight * self.mask
        return functional.conv2d(x, kernel, padding=1)


def module(workload, weights):
    """Builds a network of the usual modules.

    Args:
        workload: `Workload`.
        weights: list from `torch_network.convert`, which becomes the parameters.

    Returns:
        A `torch.nn.Sequential` whose parameters are in the order of `weights`.
    """
    layers = []
    channels = workload.image_shape[-1]
    if workload.hidden:
        layers.append(nn.Flatten())
        for kernel in weights[:-2:3]:
            layers += [nn.Linear(*reversed(kernel.shape), bias=False)]
            layers += [_norm(nn.BatchNorm1d, kernel.shape[0]), nn.ReLU(inplace=True)]
    else:
        for _ in range(4):
            layers += [MaskableConv2d(channels, workload.filters, 3, padding=1, bias=False)]
            channels = workload.filters
            layers += [_norm(nn.BatchNorm2d, channels), nn.MaxPool2d(2), nn.ReLU(inplace=True)]
        layers.append(nn.Flatten())
    layers.append(nn.Linear(weights[-2].shape[1], workload.way))
    network = nn.Sequential(*layers)
    for parameter, weight in zip(network.parameters(), weights, strict=True):
        parameter.data = weight.detach()
    return network


def set_masks(network, masks):
    """Masks the kernels of the convolutions; None takes the masks away."""
    convolutions = [layer for layer in network if isinstance(layer, MaskableConv2d)]
    for layer, mask in zip(convolutions, masks or [None] * len(convolutions), strict=True):
        layer.mask = mask


def _norm(kind, channels):
    # Always by the batch's own statistics, as ours and as the papers.
    return kind(channels, eps=EPSILON, track_running_stats=False)
