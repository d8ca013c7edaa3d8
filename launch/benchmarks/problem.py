"""The weights, images and masks from which all frameworks start."""

from typing import NamedTuple

import numpy as np

from launch.benchmarks.layers import head_shape, kernel_shapes, layers

_MEAN, _DEVIATION = 127.5, 127.5


class Problem(NamedTuple):
    """Arrays that every implementation converts to its own layout.

    Attributes:
        weights: dictionary of float32 arrays in the order of the layers. Convolution kernels are
            `[height, width, in, out]`, dense kernels `[in, out]`; the head after a convolution is
            `[height, width, channels, way]`.
        support_x: uint8, `[tasks, way * shot, height, width, channels]`.
        support_y: int32, `[tasks, way * shot]`.
        query_x: uint8, `[tasks, way * query, height, width, channels]`.
        query_y: int32, `[tasks, way * query]`.
    """

    weights: dict
    support_x: np.ndarray
    support_y: np.ndarray
    query_x: np.ndarray
    query_y: np.ndarray


def draw(workload, seed=0):
    """Draws the start of a workload.

    Args:
        workload: `Workload`.
        seed: int; the same arrays for the same seed.

    Returns:
        A `Problem`.
    """
    draws = np.random.default_rng([seed, 1])
    shape = (workload.tasks, workload.way)
    patterns = draws.normal(size=(*shape, 1, *workload.image_shape))

    def images(number):
        noise = draws.normal(size=(*shape, number, *workload.image_shape))
        x = np.clip(_MEAN + 20 * patterns + 35 * noise, 0, 255).astype("uint8")
        return x.reshape(workload.tasks, -1, *workload.image_shape)

    def labels(number):
        row = np.repeat(np.arange(workload.way, dtype="int32"), number)
        return np.tile(row, (workload.tasks, 1))

    return Problem(
        weights=_draw_weights(workload, np.random.default_rng([seed, 0])),
        support_x=images(workload.shot),
        support_y=labels(workload.shot),
        query_x=images(workload.query),
        query_y=labels(workload.query),
    )


def draw_masks(workload, seed=0):
    """Draws the masks that the implementations' results are compared with.

    Args:
        workload: `Workload` with `rates`.
        seed: int.

    Returns:
        A dictionary from the names of the pruned kernels to float32 arrays of zeros and ones,
        `[tasks, sub-networks, *kernel shape]`.
    """
    draws = np.random.default_rng([seed, 2])
    masks = {}
    for name, shape in kernel_shapes(workload).items():
        size = int(np.prod(shape))
        flat = np.ones((workload.tasks, len(workload.rates), size), "float32")
        for task in flat:
            for mask, rate in zip(task, workload.rates):
                mask[draws.choice(size, number_pruned(rate, size), replace=False)] = 0
        masks[name] = flat.reshape(*flat.shape[:2], *shape)
    return masks


def number_pruned(rate, size):
    """How many of `size` entries a rate prunes: `floor(rate * size)`."""
    return int(rate * size * (1 + 1e-12))  # 0.29 is a little less than 29/100 in floating point


def standardize(x):
    """Standardizes raw images, which every network does first; takes arrays of any framework."""
    return (x - _MEAN) * (1 / _DEVIATION)


def _draw_weights(workload, draws):
    def uniform(shape):  # Glorot's for dense layers, a little larger than His for convolutions
        limit = np.sqrt(6 / (np.prod(shape[:-1]) + shape[-1]))
        return draws.uniform(-limit, limit, shape).astype("float32")

    def near(value, size):  # so that a mistake with either would show
        return (value + 0.1 * draws.normal(size=size)).astype("float32")

    weights = {}
    for layer in layers(workload):
        weights[f"{layer.name}/kernel"] = uniform(layer.shape)
        weights[f"{layer.norm}/gamma"] = near(1, layer.shape[-1])
        weights[f"{layer.norm}/beta"] = near(0, layer.shape[-1])
    if workload.head:
        weights["head/kernel"] = uniform(head_shape(workload))
        weights["head/bias"] = near(0, workload.way)
    return weights
