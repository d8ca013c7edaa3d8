"""Layers in numpy, as the literature writes them."""

import numpy as np


def windows(x, size, stride=1, padding=0, around=0.0):
    """All windows of images, `[n, height, width, channels, size, size]`."""
    edges = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    x = np.pad(x, edges, constant_values=around)
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[
        :, ::stride, ::stride
    ]


def convolve(x, layer, stride=1):
    kernel = layer.kernel.numpy()
    size = len(kernel)
    return np.einsum("nhwcij,ijco->nhwo", windows(x, size, stride, size // 2), kernel)


def normalize(x, layer, training):
    gamma, beta, mean, variance = layer.get_weights()
    if training:
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    return gamma * (x - mean) / np.sqrt(variance + layer.epsilon) + beta


def scattered(model, seed=0):
    """Moves all weights and statistics off their start, variances upwards."""
    draws = np.random.default_rng(seed)
    model.set_weights([w + draws.uniform(0, 1, w.shape) for w in model.get_weights()])
    return model


def number_of_weights(model):
    return sum(variable.shape.num_elements() for variable in model.trainable_variables)
