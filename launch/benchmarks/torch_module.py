"""The networks as PyTorch modules, for libraries that work on modules."""

from torch import nn
from torch.nn import functional

from launch.benchmarks.torch_network import EPSILON, SLOPE


class MaskableConv2d(nn.Conv2d):
    """A convolution whose kernel may be masked."""

    mask = None

    def forward(self, x):
        kernel = self.weight if self.mask is None else self.weight * self.mask
        return functional.conv2d(x, kernel, padding=self.padding)


class ResidualBlock(nn.Module):
    """A block of ResNet-12."""

    def __init__(self, channels, filters):
        super().__init__()
        activation = nn.LeakyReLU(SLOPE, inplace=True)
        first, second, third = (
            _convolution(before, filters, 3) for before in (channels, filters, filters)
        )
        self.body = nn.Sequential(*first, activation, *second, activation, *third)
        self.shortcut = nn.Sequential(*_convolution(channels, filters, 1))
        self.end = nn.Sequential(nn.MaxPool2d(2), activation)

    def forward(self, x):
        return self.end(self.body(x) + self.shortcut(x))


def module(workload, weights):
    """Builds a network of the usual modules.

    Args:
        workload: `Workload`.
        weights: list from `torch_network.convert`, which becomes the parameters.

    Returns:
        A `torch.nn.Sequential` whose parameters are in the order of `weights`.
    """
    layers = [*_body(workload, weights), nn.Linear(weights[-2].shape[1], workload.way)]
    network = nn.Sequential(*layers)
    for parameter, weight in zip(network.parameters(), weights, strict=True):
        parameter.data = weight.detach()
    return network


def set_masks(network, masks):
    """Masks the kernels of the convolutions; None takes the masks away."""
    convolutions = [layer for layer in network.modules() if isinstance(layer, MaskableConv2d)]
    for layer, mask in zip(convolutions, masks or [None] * len(convolutions), strict=True):
        layer.mask = mask


def _body(workload, weights):
    channels = workload.image_shape[-1]
    if workload.hidden:
        yield nn.Flatten()
        for kernel in weights[:-2:3]:
            yield nn.Linear(*reversed(kernel.shape), bias=False)
            yield from (_norm(nn.BatchNorm1d, kernel.shape[0]), nn.ReLU(inplace=True))
        return
    if workload.blocks:
        for filters in workload.blocks:
            yield ResidualBlock(channels, filters)
            channels = filters
        yield nn.AdaptiveAvgPool2d(1)
    else:
        for _ in range(4):
            yield from _convolution(channels, workload.filters, 3)
            yield from (nn.MaxPool2d(2), nn.ReLU(inplace=True))
            channels = workload.filters
    yield nn.Flatten()


def _convolution(channels, filters, size):
    """A convolution and its normalization."""
    padding = size // 2
    convolution = MaskableConv2d(channels, filters, size, padding=padding, bias=False)
    return convolution, _norm(nn.BatchNorm2d, filters)


def _norm(kind, channels):
    # Always by the batch's own statistics, as ours and as the papers.
    return kind(channels, eps=EPSILON, track_running_stats=False)
