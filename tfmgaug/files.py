"""Files that are either whole or not there."""

import contextlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Gives a temporary path beside `path`, and moves it there when the block ends well.

    A block that raises, or a process that is killed, leaves what was at `path` as it was.

    Args:
        path: the file to write; missing parent folders are made.

    Yields:
        A path in the same folder with the same suffixes, so that writers which look at the
        ending (`.weights.h5`, `.png`) are content.

    Example:
        >>> with atomic_path("history.json") as temporary:
        ...     temporary.write_text("[]")
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Writes a value as indented JSON, whole or not at all.

    Args:
        path: the file to write; missing parent folders are made.
        value: what `json.dumps` takes.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n")


def _flush(path: pathlib.Path) -> None:
    # Without it a power cut after the rename may leave an empty file under the final name.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
