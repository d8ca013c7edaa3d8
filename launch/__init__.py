"""Commands: `python -m launch.train`, `launch.evaluate`, `launch.export`."""

import os
import sys
import tempfile

from launch import environment

environment.prepare()


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
