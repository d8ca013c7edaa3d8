"""Atomic file writes."""

import contextlib
import errno
import io
import json
import os
import pathlib
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

# The system's numbers of errors that mean a lack of space.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_REMEDIES = {
    errno.ENOSPC: "Free some space there",
    errno.EDQUOT: "Free some space there",
    errno.EFBIG: "Raise the limit on the size of files (ulimit -f)",
    errno.EACCES: "Make the folder writable",
    errno.EPERM: "Make the folder writable",
    errno.EROFS: "Make the folder writable",
}
_TEMPORARY = re.compile(r"^\.\d+\.(?=.)")


class UnwritableError(OSError):
    """A file that could not be written; the text says which, why, and what to do."""

    def __str__(self):
        return str(self.strerror)


def unwritable(
    what: str,
    code: int,
    folder: str | os.PathLike,
    needed: int | None = None,
    elsewhere: str = "choose another path",
) -> UnwritableError:
    """Composes the error for something that cannot be written.

    Args:
        what: begins the sentence.
        code: the system's number of the error.
        folder: where it was to be written; its free space is named where space is short.
        needed: bytes that were to be written, as far as that is known.
        elsewhere: the other way out, after the remedy.

    Returns:
        The error.
    """
    amounts = []
    if code in FULL:
        amounts = [] if needed is None else [f"{_amount(needed)} needed"]
        amounts.append(f"{_amount(_free(pathlib.Path(folder)))} free")
    reason = os.strerror(code) + (f" ({', '.join(amounts)})" if amounts else "")
    remedy = f"{_REMEDIES[code]}, or {elsewhere}" if code in _REMEDIES else elsewhere
    remedy = remedy[0].upper() + remedy[1:]
    return UnwritableError(code, f"{what} cannot be written: {reason}. {remedy}.", str(folder))


@contextlib.contextmanager
def explained(
    path: str | os.PathLike, needed: int | None = None, codes: tuple[int, ...] | None = None
) -> Iterator[None]:
    """Turns the system's errors in a block, and TensorFlow's about files, into `UnwritableError`.

    Args:
        path: what the block writes.
        needed: bytes that it writes, as far as that is known.
        codes: the system's numbers of the errors to turn; None: all.

    Raises:
        UnwritableError: `path` cannot be written.
    """
    try:
        yield
    except UnwritableError:
        raise
    except Exception as error:
        code = _code(error)
        if code is None or (codes is not None and code not in codes):
            raise
        path = pathlib.Path(path)
        folder = path if os.path.isdir(path) else path.parent
        raise unwritable(str(path), code, folder, needed) from error


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike, needed: int | None = None) -> Iterator[pathlib.Path]:
    """Yields a temporary path beside `path`, and moves the file there if the block succeeds.

    A block that raises, or a process that is killed, leaves what was at `path` as it was.

    Args:
        path: the file to write; missing parent folders are made.
        needed: bytes that will be written, for the error where there is no room for them.

    Yields:
        A path in the same folder with the same suffixes, so that writers which look at the
        ending (`.weights.h5`, `.png`) are content.

    Raises:
        UnwritableError: the disk is full, or the folder not writable.

    Example:
        >>> with atomic_path("history.json") as temporary:
        ...     temporary.write_text("[]")
    """
    path = pathlib.Path(path)
    temporary = _temporary(path)
    # Explained when the temporary file is gone, whose bytes are free again.
    with explained(path, needed, FULL):
        try:
            yield temporary
            with explained(path, needed):
                _flush(temporary)
                os.replace(temporary, path)
            _flush_folder(path.parent)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def write_bytes(path: str | os.PathLike, content: bytes | memoryview) -> None:
    """Writes bytes, whole or not at all.

    Args:
        path: the file to write; missing parent folders are made.
        content: the bytes.

    Raises:
        UnwritableError: the disk is full, or the folder not writable.
    """
    needed = len(content)
    with explained(path, needed), atomic_path(path, needed) as temporary:
        temporary.write_bytes(content)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes a value as indented JSON, whole or not at all.

    Args:
        path: the file to write; missing parent folders are made.
        value: what `json.dumps` takes.

    Raises:
        UnwritableError: the disk is full, or the folder not writable.
    """
    write_bytes(path, (json.dumps(value, indent=1) + "\n").encode())


def write_saved(save: Callable[[Any], None], path: str | os.PathLike) -> None:
    """Writes what a Keras model saves, whole or not at all.

    It is composed in memory first, which takes as much as the weights do: HDF5 crashes the process
    when it closes a file on a full disk.

    Args:
        save: `model.save` or `model.save_weights`.
        path: the file to write, whose ending `save` accepts.

    Raises:
        UnwritableError: the disk is full, or the folder not writable.

    Example:
        >>> write_saved(learner.save_weights, "last.weights.h5")
    """
    memory = _NamedMemory(pathlib.Path(path).name)
    save(memory)
    write_bytes(path, memory.getbuffer())


def check_writable(path: str | os.PathLike) -> None:
    """Refuses a path that could not be written, before hours are spent on what belongs there.

    Args:
        path: of a file or folder to be written later; missing parent folders are made.

    Raises:
        UnwritableError: its folder cannot be written.
    """
    path = pathlib.Path(path)
    temporary = _temporary(path)
    with explained(path):
        temporary.touch()
        temporary.unlink()


def without_mark(name: str) -> str:
    """Returns the name of the file that a temporary file was to become; other names as they are."""
    return _TEMPORARY.sub("", name)


class _NamedMemory(io.BytesIO):
    """A file in memory that Keras takes for one on disk, whose ending it looks at."""

    def __init__(self, name: str):
        super().__init__()
        self._called = name

    def __str__(self):
        return self._called


def _temporary(path: pathlib.Path) -> pathlib.Path:
    """Makes the folder of a path, and names a file in it that is not yet whole."""
    with explained(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:  # a file has the folder's name
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from error
    return path.with_name(f".{os.getpid()}.{path.name}")


def _code(error: Exception) -> int | None:
    if isinstance(error, OSError):
        return error.errno
    if type(error).__module__.startswith("tensorflow"):  # they quote the system's words
        return next((code for code in _REMEDIES if os.strerror(code) in str(error)), None)
    return None


def _free(folder: pathlib.Path) -> int:
    existing = next(
        ancestor for ancestor in (folder, *folder.absolute().parents) if os.path.exists(ancestor)
    )
    return shutil.disk_usage(existing).free


def _amount(size: int) -> str:
    scales = {"GB": 1e9, "MB": 1e6, "kB": 1e3}
    unit = next((unit for unit, scale in scales.items() if size >= scale), None)
    return f"{size} bytes" if unit is None else f"{size / scales[unit]:.1f} {unit}"


def _flush(path: pathlib.Path) -> None:
    # Without it a power cut after the rename may leave an empty file under the final name.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folder(path: pathlib.Path) -> None:
    # The rename itself; file systems that cannot flush a folder keep their order without it.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
