"""mini- and tiered-ImageNet as pickles of the usual layouts.

- `mini-imagenet-cache-train.pkl`: `{"image_data": [n, 84, 84, 3], "class_dict": {name: rows}}`
- `miniImageNet_category_split_train_phase_train.pickle`: `{"data": [n, 84, 84, 3], "labels": [n],
  "catname2label": {name: label}}` or `"label2catname"`
- `train_images_png.pkl`: `n` encoded images, with `train_labels.pkl`: `{"label_specific": [n],
  "label_specific_str": names}`
"""

import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tfmgaug.data import restricted_pickle
from tfmgaug.data.archives import Archive, Part

_SPLITS = {"train": "train", "validation": "val", "test": "test"}


def find(root: pathlib.Path) -> Archive | None:
    """Finds the pickles of a data set in a folder.

    Args:
        root: the folder.

    Returns:
        The `Archive`, which is not read yet; None if there are none.

    Raises:
        FileNotFoundError: those of a split are missing.
    """
    for names_of, read in _LAYOUTS:
        files = {split: names_of(short) for split, short in _SPLITS.items()}
        everything = [name for names in files.values() for name in names]
        missing = [name for name in everything if not (root / name).is_file()]
        if len(missing) == len(everything):
            continue
        if missing:
            raise FileNotFoundError(
                f"Expected {', '.join(everything)} in {str(root)!r}. Missing: {', '.join(missing)}."
            )

        def parts(files: Any = files, read: Any = read) -> Iterator[Part]:
            for split, names in files.items():
                yield read(split, *(root / name for name in names))

        return Archive(root, everything, parts)
    return None


def _by_rows(split: str, path: pathlib.Path) -> Part:
    """A file with the rows of each class."""
    content = _dictionary(path)
    images = _images(path, _entry(path, content, "image_data"))
    rows_of = _entry(path, content, "class_dict")
    if not isinstance(rows_of, dict):
        raise _unexpected(path, "`class_dict` to be a dictionary from classes to rows", rows_of)
    class_of: list[str] = [""] * len(images)
    for name, rows in rows_of.items():
        for row in np.asarray(rows, object).ravel():
            if not isinstance(row, int | np.integer) or not 0 <= row < len(images):
                raise _unexpected(path, f"rows from 0 to {len(images) - 1} in `class_dict`", row)
            class_of[row] = _text(name)
    kept = [i for i, name in enumerate(class_of) if name]
    return _part(path, split, [class_of[i] for i in kept], images[kept])


def _by_labels(split: str, path: pathlib.Path) -> Part:
    """A file with the label of each image."""
    content = _dictionary(path)
    images = _images(path, _entry(path, content, "data"))
    labels = _labels(path, _entry(path, content, "labels"), len(images))
    names = content.get("label2catname")
    if "catname2label" in content:
        label_of = content["catname2label"]
        names = {v: k for k, v in label_of.items()} if isinstance(label_of, dict) else label_of
    return _part(path, split, _named(labels, _numbered(path, names)), images)


def _encoded(split: str, path: pathlib.Path, labels_path: pathlib.Path) -> Part:
    """Encoded images and, in a file of their own, their labels."""
    content = _dictionary(labels_path)
    images = restricted_pickle.read(path)
    if not isinstance(images, list | tuple | np.ndarray):
        raise _unexpected(path, "a list of encoded images", images)
    labels = _labels(labels_path, _entry(labels_path, content, "label_specific"), len(images))
    names = _numbered(labels_path, content.get("label_specific_str"))
    return Part(path.name, split, _named(labels, names), images)


_LAYOUTS: tuple[tuple[Callable[[str], tuple[str, ...]], Callable[..., Part]], ...] = (
    (lambda split: (f"mini-imagenet-cache-{split}.pkl",), _by_rows),
    (
        lambda split: (
            f"miniImageNet_category_split_{'train_phase_train' if split == 'train' else split}"
            ".pickle",
        ),
        _by_labels,
    ),
    (lambda split: (f"{split}_images_png.pkl", f"{split}_labels.pkl"), _encoded),
)


def _part(path: pathlib.Path, split: str, class_of: list[str], images: np.ndarray) -> Part:
    return Part(path.name, split, class_of, images, tuple(images.shape[1:3]))  # type: ignore[arg-type]


def _dictionary(path: pathlib.Path) -> dict[str, Any]:
    content = restricted_pickle.read(path)
    if not isinstance(content, dict):
        raise _unexpected(path, "a dictionary", content)
    return {_text(key): value for key, value in content.items()}


def _entry(path: pathlib.Path, content: dict[str, Any], key: str) -> Any:
    if key not in content:
        raise ValueError(f"Expected {key!r} in {str(path)!r}. Received: {', '.join(content)}.")
    return content[key]


def _images(path: pathlib.Path, images: Any) -> np.ndarray:
    fits = isinstance(images, np.ndarray) and images.dtype == np.uint8 and images.ndim == 4
    if not fits or images.shape[-1] != 3 or 0 in images.shape:
        raise _unexpected(path, "images [images, height, width, 3] of dtype uint8", images)
    return images


def _labels(path: pathlib.Path, labels: Any, number: int) -> list[int]:
    array = np.asarray(labels)
    if array.shape != (number,) or array.dtype.kind not in "iu":
        raise _unexpected(path, f"one integer for each of {number} images", array)
    return array.tolist()


def _numbered(path: pathlib.Path, names: Any) -> dict[int, str]:
    """Names by label, of a list or a dictionary."""
    if names is None:
        return {}
    if not isinstance(names, dict | list | tuple | np.ndarray):
        raise _unexpected(path, "names of labels in a list or a dictionary", names)
    by_label = names if isinstance(names, dict) else dict(enumerate(names))
    for label in by_label:
        if not isinstance(label, int | np.integer):
            raise _unexpected(path, "integers as labels", label)
    return {int(label): _text(name) for label, name in by_label.items()}


def _named(labels: Sequence[int], names: dict[int, str]) -> list[str]:
    """The name of each image's class; a number where there is none, and behind a name of two."""
    texts = list(names.values())
    unique = {
        label: text if texts.count(text) == 1 else f"{text} {label}"
        for label, text in names.items()
    }
    return [unique.get(label, str(label)) for label in labels]


def _text(name: Any) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else str(name)


def _unexpected(path: pathlib.Path, expected: str, received: Any) -> ValueError:
    what = type(received).__name__
    if isinstance(received, np.ndarray):
        what = f"an array of shape {received.shape}, dtype {received.dtype}"
    elif isinstance(received, int | np.integer | str):
        what = repr(received)
    return ValueError(f"Expected {expected} in {str(path)!r}. Received: {what}.")
