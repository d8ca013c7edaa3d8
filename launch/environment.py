"""TensorFlow's environment variables, set before its import unless the user has set them."""

import os
import sys
import tempfile

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


def import_tensorflow():
    """Imports TensorFlow without its start-up notes, which ignore its log level."""
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        except BaseException:
            notes.seek(0)
            os.write(screen, notes.read())  # then they may say why
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)
