"""A disk that takes no more, without a disk: a limit on the size of files."""

import contextlib
import resource


@contextlib.contextmanager
def limited(size):
    """Lets no file grow beyond `size` bytes; Python ignores the signal, so that writes fail."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
