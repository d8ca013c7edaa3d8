"""A cache of decoded images on disk, memory-mapped when it is read."""

import contextlib
import hashlib
import json
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np

from tfmgaug.data import workers
from tfmgaug.data.cache_files import replacing, sweep

# Part of every key: raise it when the same files would be decoded to other bytes.
FORMAT = 1

# Reading every byte of a large entry at each start would take longer than the start itself.
_CHECKED_BLOCKS = 256
_BLOCK = 1 << 20


def cache_directory(cache_dir: str | os.PathLike | None = None) -> pathlib.Path:
    """Returns the folder of the cache, without creating it.

    Args:
        cache_dir: the folder; None takes the environment variable `TFMGAUG_CACHE`, or
            `~/.cache/tfmgaug` where that is not set.

    Returns:
        The folder's path.
    """
    chosen = cache_dir or os.environ.get("TFMGAUG_CACHE") or "~/.cache/tfmgaug"
    return pathlib.Path(chosen).expanduser()


def make_key(*parts: Any) -> str:
    """Returns a short key for values that JSON can hold; equal values give equal keys.

    Args:
        *parts: whatever determines the bytes of an entry.

    Returns:
        32 hexadecimal digits.
    """
    text = json.dumps([FORMAT, *parts], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def content_key(
    root: str | os.PathLike, files: Sequence[str], cache_dir: str | os.PathLike | None = None
) -> str:
    """Returns a key for the bytes and relative names of files.

    The bytes are read once: the key is remembered under the files' names, sizes and times of
    change, so that a second start only looks at those. Files that cannot be read count by name.

    Args:
        root: the folder that holds the files.
        files: paths relative to `root`, in a fixed order.
        cache_dir: see `cache_directory`.

    Returns:
        32 hexadecimal digits.
    """
    root = pathlib.Path(root).resolve()
    state = [(file, *_state(root / file)) for file in files]
    note = cache_directory(cache_dir) / f"{make_key('state', str(root), state)}.content.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(note.read_text())["content"])
    digests = list(workers.map_in_order(lambda file: _digest(root / file), files))
    content = make_key("content", list(zip(files, digests)))
    if None in digests:
        return content  # permissions may change, and neither size nor time tells
    with replacing(note) as file:
        file.write(json.dumps({"root": str(root), "content": content}).encode())
    return content


def cached_note(
    key: str, build: Callable[[], dict[str, Any]], cache_dir: str | os.PathLike | None = None
) -> dict[str, Any]:
    """Returns what is noted under a key, building it where there is no note.

    Args:
        key: from `make_key`.
        build: returns a dictionary for JSON.
        cache_dir: see `cache_directory`.

    Returns:
        The dictionary.

    Raises:
        OSError: the cache cannot be written.
    """
    path = cache_directory(cache_dir) / f"{key}.note.json"
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads(path.read_text()))
    note = build()
    with replacing(path) as file:
        file.write(json.dumps(note).encode())
    return note


class Writer:
    """Writes images into a new entry, one row at a time and in any order.

    Rows are written, not memory-mapped: a full disk is then an error, not a bus error.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._start = 0
        self.shape: tuple[int, ...] | None = None

    def write(self, row: int, image: np.ndarray) -> None:
        """Writes one image of `[height, width, channels]`, or adjacent ones with a leading axis.

        Args:
            row: index of the first image written.
            image: uint8 array; all images of an entry have one shape.
        """
        image = np.ascontiguousarray(image, np.uint8)
        shape = image.shape[-3:]
        if self.shape is None:
            self.shape = shape
            self._start = self._write_header(0)
        if shape != self.shape:
            raise ValueError(f"Expected images of shape {self.shape}. Received: {shape}.")
        self._file.seek(self._start + row * int(np.prod(shape)))
        self._file.write(image.data)

    def close(self, rows: int) -> None:
        """Writes the header for the number of images that the entry holds.

        Args:
            rows: the number of images.
        """
        if self.shape is None:
            raise ValueError("Expected at least one image in a cache entry. Received none.")
        self._write_header(rows)
        self._file.truncate(self._start + rows * int(np.prod(self.shape)))

    def _write_header(self, rows: int) -> int:
        # numpy pads the header for a first axis that grows: rewriting it keeps its length.
        header = {"descr": "|u1", "fortran_order": False, "shape": (rows, *self.shape)}
        self._file.seek(0)
        np.lib.format.write_array_header_1_0(self._file, header)
        return self._file.tell()


def cached_images(
    key: str,
    build: Callable[[Writer], tuple[int, dict[str, Any]]],
    cache_dir: str | os.PathLike | None = None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """Returns the images of a key, building them where the cache holds no whole copy.

    An entry is `<key>.npy` and, written after it, `<key>.json`, which holds the details and a
    checksum: an entry without a matching pair was never finished or was damaged, and is built
    again. Both are written under temporary names and renamed, so that two processes may build
    one entry at once.

    Args:
        key: from `make_key`.
        build: called with a `Writer`; returns the number of images and a dictionary for JSON.
        cache_dir: see `cache_directory`.

    Returns:
        Memory-mapped uint8 images `[images, height, width, channels]`, and the details.

    Raises:
        OSError: the cache cannot be written.
    """
    path = cache_directory(cache_dir) / f"{key}.npy"
    arrays = _read(path)
    if arrays is not None:
        return arrays
    sweep(path.parent)
    with replacing(path) as file:
        writer = Writer(file)
        rows, details = build(writer)
        writer.close(rows)
    record = {"details": details, "checksum": _checksum(path)}
    with replacing(path.with_suffix(".json")) as file:
        file.write(json.dumps(record).encode())
    return np.load(path, mmap_mode="r"), json.loads(json.dumps(details))


def _read(path: pathlib.Path) -> tuple[np.ndarray, dict[str, Any]] | None:
    """Returns a whole entry, or None."""
    try:
        record = json.loads(path.with_suffix(".json").read_text())
        if record["checksum"] != _checksum(path):
            return None
        return np.load(path, mmap_mode="r"), record["details"]
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def _checksum(path: pathlib.Path) -> str:
    """Hashes the length and the bytes, of large files evenly spaced blocks of them."""
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    blocks = -(-size // _BLOCK)
    chosen = np.linspace(0, max(blocks - 1, 0), min(max(blocks, 1), _CHECKED_BLOCKS)).astype(int)
    with path.open("rb") as file:
        for block in chosen:
            file.seek(int(block) * _BLOCK)
            digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def _state(path: pathlib.Path) -> tuple[int, int]:
    try:
        stat = os.stat(path)
    except OSError:
        return -1, -1
    return stat.st_size, stat.st_mtime_ns


def _digest(path: pathlib.Path) -> str | None:
    """Hashes a file; None for one that cannot be opened, which decoding it will say."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError:
        return None
