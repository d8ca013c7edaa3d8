"""How commands set TensorFlow up, before it is imported; what the user has set stays."""

import os

_SETTINGS = {
    # Errors reach Python as exceptions; what TensorFlow would write besides is about missing GPUs.
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Memory stays with the process: fresh pages cost more than the arithmetic on them.
    "TF_CPU_ALLOCATOR_USE_BFC": "true",
    # Off by default where there is no AVX-512, but the faster convolutions there too.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "MPLBACKEND": "Agg",
}


def prepare():
    """Sets the environment variables that are not set yet."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
