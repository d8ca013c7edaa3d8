"""Commands: `python -m launch.train`, `launch.evaluate`, `launch.export`."""

import os
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("MPLBACKEND", "Agg")
# Memory that stays with the process: fresh pages cost more than the arithmetic on them.
os.environ.setdefault("TF_CPU_ALLOCATOR_USE_BFC", "true")


def _import_tensorflow_quietly():
    """Keeps TensorFlow's start-up notes, which ignore its log level, off the first screen."""
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


_import_tensorflow_quietly()
