"""mini- and tiered-ImageNet as Parquet files: a column of encoded images and one of labels."""

import json
import pathlib
from collections.abc import Iterator
from typing import Any

from tfmgaug.data.archives import Archive, Part

_IMAGES = ("image", "img", "images")
_LABELS = ("label", "labels", "class", "class_name", "wnid")
_PLACES = ("", "data")
_ROWS = 256  # read at once


def find(root: pathlib.Path) -> Archive | None:
    """Finds Parquet files in a folder.

    Args:
        root: the folder; they lie in it, or in data/ below it.

    Returns:
        The `Archive`, which is not read yet; None if there are none.
    """
    for place in _PLACES:
        paths = sorted((root / place).glob("*.parquet"))
        if paths:
            files = [path.relative_to(root).as_posix() for path in paths]
            return Archive(root, files, lambda paths=paths: _parts(paths))  # type: ignore[misc]
    return None


def _parts(paths: list[pathlib.Path]) -> Iterator[Part]:
    """All files as one part: those of splits by image have all classes in each."""
    parquet = _pyarrow()
    class_of: list[str] = []
    columns = {}
    for path in paths:
        columns[path] = _columns(parquet, path)
        labels = parquet.read_table(path, columns=[columns[path][1]]).column(0).to_pylist()
        class_of += _named(path, labels, parquet.read_schema(path), columns[path][1])

    def images() -> Iterator[bytes]:
        for path, (image, _) in columns.items():
            for batch in parquet.ParquetFile(path).iter_batches(_ROWS, columns=[image]):
                for value in batch.column(0).to_pylist():
                    yield value.get("bytes") if isinstance(value, dict) else value

    yield Part(str(paths[0].parent), None, class_of, images())


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise RuntimeError(
            "Parquet files are read by the package pyarrow, which is not installed: "
            'pip install pyarrow (or pip install -e ".[parquet]").'
        ) from error
    return pyarrow.parquet


def _columns(parquet: Any, path: pathlib.Path) -> tuple[str, str]:
    """The names of the columns of images and of labels."""
    try:
        schema = parquet.read_schema(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{str(path)!r} cannot be read as a Parquet file: {error}") from error
    image = next((name for name in _IMAGES if name in schema.names), None)
    label = next((name for name in _LABELS if name in schema.names), None)
    if image is None or label is None:
        raise ValueError(
            f"Expected a column of images ({', '.join(_IMAGES)}) and one of labels "
            f"({', '.join(_LABELS)}) in {str(path)!r}. Received: {', '.join(schema.names)}."
        )
    return image, label


def _named(path: pathlib.Path, labels: list[Any], schema: Any, column: str) -> list[str]:
    """The name of each image's class: the label itself, or what the file's metadata call it."""
    if all(isinstance(label, str) for label in labels):
        return labels
    metadata = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    names = metadata.get("info", {}).get("features", {}).get(column, {}).get("names")
    if names is None or not all(label in range(len(names)) for label in labels):
        raise ValueError(
            f"Expected names of classes in the column {column!r} of {str(path)!r}, or numbers that "
            "the names in the file's metadata belong to. Received: "
            f"{sorted(set(map(str, labels)))[:3]}, {'no' if names is None else len(names)} names."
        )
    return [names[label] for label in labels]
