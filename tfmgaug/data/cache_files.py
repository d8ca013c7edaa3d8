"""Atomic writes of files in the cache, and temporary files that are left over."""

import contextlib
import os
import pathlib
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any, BinaryIO

from tfmgaug.files import unwritable

_STALE = 24 * 60 * 60  # seconds
# Names of our own temporary files: the folder may hold others, which are their owner's.
_LEFT_BEHIND = re.compile(r".+\.(npy|json)\.[0-9a-f]{32}\.tmp")


@contextlib.contextmanager
def replacing(path: pathlib.Path) -> Iterator[BinaryIO]:
    """Opens a temporary file that takes the name `path` once it is whole and on disk.

    Args:
        path: of the file; missing parent folders are made.

    Yields:
        A file open for writing bytes.

    Raises:
        OSError: the cache cannot be written; the text says why and what to do.
    """
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    with _explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("wb")
    try:
        yield _Explaining(file, path.parent)  # type: ignore[misc]
        with _explained(path.parent):
            file.flush()
            os.fsync(file.fileno())
            file.close()
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(OSError):  # closing writes what is buffered, and may fail again
            file.close()
        temporary.unlink(missing_ok=True)


def sweep(folder: pathlib.Path) -> None:
    """Removes temporary files of killed processes, if so old that none is at work on them.

    Args:
        folder: of the cache; it may be missing.
    """
    for left in folder.glob("*.tmp"):
        with contextlib.suppress(OSError):
            if _LEFT_BEHIND.fullmatch(left.name) and time.time() - left.stat().st_mtime > _STALE:
                left.unlink()


class _Explaining:
    """A file whose failed writes say which cache could not be written, and what to do."""

    def __init__(self, file: BinaryIO, folder: pathlib.Path) -> None:
        self._file = file
        self._folder = folder

    def write(self, data: Any) -> int:
        with _explained(self._folder):
            return self._file.write(data)

    def seek(self, position: int) -> int:
        with _explained(self._folder):  # flushes what was buffered
            return self._file.seek(position)

    def truncate(self, size: int) -> int:
        with _explained(self._folder):
            return self._file.truncate(size)

    def tell(self) -> int:
        return self._file.tell()


@contextlib.contextmanager
def _explained(folder: pathlib.Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(
            f"The image cache {str(folder)!r}",
            error.errno,
            folder,
            elsewhere="name another folder with the environment variable TFMGAUG_CACHE or the "
            "argument cache_dir",
        ) from error
