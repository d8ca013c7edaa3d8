"""The convolution rate of a framework: one large convolution, timed alone."""

import numpy as np

_KERNEL = 3
_LARGE = (64, 42, 42, 128)  # [n, height, width, channels], as many channels out
_SMALL = (4, 10, 10, 8)


class Convolution:
    """A convolution in one framework, asked for as a step is.

    Args:
        workload: `Workload`; small ones get a small convolution.
        problem: not used.
        dtype: "float32" or "bfloat16".
        framework: "tensorflow" or "torch".
    """

    def __init__(self, workload, problem, dtype, framework):
        shape = _LARGE if workload.filters >= 32 else _SMALL
        draws = np.random.default_rng(0)
        x = draws.normal(size=shape).astype("float32")
        kernel = 0.05 * draws.normal(size=(_KERNEL, _KERNEL, shape[-1], shape[-1]))
        self._call = _FRAMEWORKS[framework](x, kernel.astype("float32"), dtype)
        self._products = x.size * _KERNEL**2 * shape[-1]

    def step(self):
        """Convolves."""
        return self._call()

    def measure(self, result):
        """Returns the number of products of one step."""
        return {"products": self._products}


build = Convolution


def _tensorflow(x, kernel, dtype):
    import tensorflow as tf

    x, kernel = tf.cast(x, dtype), tf.cast(kernel, dtype)
    function = tf.function(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"))
    return lambda: function(x, kernel)


def _torch(x, kernel, dtype):
    import torch

    last = {"memory_format": torch.channels_last, "dtype": getattr(torch, dtype)}
    x = torch.from_numpy(x).permute(0, 3, 1, 2).to(**last)
    kernel = torch.from_numpy(kernel).permute(3, 2, 0, 1).to(**last)
    return lambda: torch.nn.functional.conv2d(x, kernel, padding=1)


_FRAMEWORKS = {"tensorflow": _tensorflow, "torch": _torch}
