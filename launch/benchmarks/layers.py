"""The layers of the benchmark's networks, which all frameworks build alike."""

import math
from typing import NamedTuple


class Layer(NamedTuple):
    """A convolution or hidden dense layer, and the normalization behind it.

    Attributes:
        name: of the layer.
        norm: name of the normalization.
        shape: of the kernel.
        pixels: number of positions that the kernel is applied at; 1 for a dense layer.
        on_images: whether its inputs are the images, which need no gradient.
    """

    name: str
    norm: str
    shape: tuple
    pixels: int
    on_images: bool

    @property
    def products(self):
        """Multiply-adds of one example's forward pass."""
        return self.pixels * math.prod(self.shape)


def layers(workload):
    """Lists a backbone's layers in order, without the head.

    Args:
        workload: `Workload`.

    Returns:
        A list of `Layer`.
    """
    if workload.hidden:
        return _dense_layers(workload)
    return _residual_layers(workload) if workload.blocks else _plain_layers(workload)


def _dense_layers(workload):
    sizes = (math.prod(workload.image_shape), *workload.hidden)
    return [
        Layer(f"dense{n}", f"norm{n}", (inputs, outputs), 1, n == 1)
        for n, (inputs, outputs) in enumerate(zip(sizes, sizes[1:]), start=1)
    ]


def _plain_layers(workload):
    height, width, channels = workload.image_shape
    listed = []
    for n in range(1, 5):
        shape = (3, 3, channels if n == 1 else workload.filters, workload.filters)
        pixels = (height >> n - 1) * (width >> n - 1)
        listed.append(Layer(f"conv{n}", f"norm{n}", shape, pixels, n == 1))
    return listed


def _residual_layers(workload):
    height, width, before = workload.image_shape
    listed = []
    for n, channels in enumerate(workload.blocks, start=1):
        pixels = (height >> n - 1) * (width >> n - 1)
        for place, size in (("first", 3), ("second", 3), ("third", 3), ("shortcut", 1)):
            entering = before if place in ("first", "shortcut") else channels
            name = f"block{n}_{place}"
            shape = (size, size, entering, channels)
            on_images = n == 1 and place in ("first", "shortcut")
            listed.append(Layer(f"{name}_conv", f"{name}_norm", shape, pixels, on_images))
        before = channels
    return listed


def head_shape(workload):
    """The shape of the head's kernel."""
    if workload.hidden:
        return (workload.hidden[-1], workload.way)
    if workload.blocks:
        return (workload.blocks[-1], workload.way)
    height, width, _ = workload.image_shape
    return (height >> 4, width >> 4, workload.filters, workload.way)


def kernel_shapes(workload):
    """The shapes of the kernels that MGAug prunes, by name."""
    return {f"{layer.name}/kernel": layer.shape for layer in layers(workload)}
