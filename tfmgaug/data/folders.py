"""Where the images of classes lie in a folder."""

import os
import pathlib
import warnings
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfmgaug.data import decoding
from tfmgaug.data.image_classes import Splits

NAMED = 10  # how many files or folders a message names
_SPLIT_FOLDERS = {"train": "train", "validation": "validation", "val": "validation", "test": "test"}


class Folder(NamedTuple):
    """Image files by class, and the classes of each split where the folder gives them.

    Attributes:
        root: the folder.
        classes: for each class the paths of its images, relative to `root`.
        groups: the classes of each split; None if the folder is not split.
        boxes: for each path what to cut out of the image: left, upper, right and lower edge in
            pixels; None for the whole images.
    """

    root: pathlib.Path
    classes: dict[str, list[str]]
    groups: dict[str, list[str]] | None
    boxes: dict[str, tuple[int, int, int, int]] | None = None

    @property
    def files(self) -> list[str]:
        """The paths of all images, class after class."""
        return [file for files in self.classes.values() for file in files]

    def decode(self, file: str, image_size: tuple[int, int] | None, channels: int) -> np.ndarray:
        """Decodes an image, or what its box cuts out of it; see `decoding.decode`."""
        box = None if self.boxes is None else self.boxes[file]
        return decoding.decode(self.root / file, image_size, channels, box)

    def key(self) -> tuple[Any, ...]:
        """What the pixels by class depend on beside the images and their paths."""
        if self.boxes is None:
            return ()  # the paths say which class an image is of
        return ([len(files) for files in self.classes.values()], sorted(self.boxes.items()))


def scan(root: pathlib.Path, chosen: Collection[str] | None = None) -> Folder:
    """Lists the images of a folder by class, and by split if it is split.

    Args:
        root: the folder.
        chosen: the classes to look at; None for all that there are.

    Returns:
        The `Folder`.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is laid out otherwise than `from_folder` says, or a class has no images.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"Expected a folder of images. There is none at {str(root)!r}.")
    folders = subfolders(root)
    if not folders:
        raise ValueError(
            f"Expected one folder for each class in {str(root)!r}. Received no folders, "
            f"{len(_images(root, root))} images."
        )
    _warn_of_loose_images(root)
    if "train" in folders and subfolders(root / "train"):
        return _scan_splits(root, folders, chosen)
    classes = {name: _images(root, root / name) for name in _only(folders, chosen)}
    _check_not_empty(root, classes)
    return Folder(root, classes, None)


def _only(names: list[str], chosen: Collection[str] | None) -> list[str]:
    return names if chosen is None else [name for name in names if name in chosen]


def _scan_splits(root: pathlib.Path, folders: list[str], chosen: Collection[str] | None) -> Folder:
    found = sorted(_SPLIT_FOLDERS.get(name, name) for name in folders)
    if found != ["test", "train", "validation"]:
        raise ValueError(
            f"Beside train/ with folders of classes, {str(root)!r} must hold validation/ (or val/) "
            f"and test/, and no other folders. Received: {', '.join(folders)}."
        )
    classes: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    for name in sorted(folders, key=lambda name: Splits._fields.index(_SPLIT_FOLDERS[name])):
        names = _only(subfolders(root / name), chosen)
        _warn_of_loose_images(root / name)
        shared = sorted(set(names) & set(classes))
        if shared:
            raise ValueError(
                "Training, validation and test need different classes in few-shot learning. "
                f"In {str(root)!r} these are in more than one: {listed(shared)}."
            )
        if not names and chosen is None:
            raise ValueError(f"{str(root / name)!r} holds no folders of classes.")
        classes.update({c: _images(root, root / name / c) for c in names})
        groups[_SPLIT_FOLDERS[name]] = names
    _check_not_empty(root, classes)
    return Folder(root, classes, groups)


def _warn_of_loose_images(path: pathlib.Path) -> None:
    files = [entry.name for entry in os.scandir(path) if entry.is_file()]
    loose = sorted(file for file in files if _is_image(file))
    if loose:
        warnings.warn(
            f"{len(loose)} images in {str(path)!r} lie beside the folders of classes and are left "
            f"out: {listed(loose)}.",
            stacklevel=4,
        )


def _is_image(file: str) -> bool:
    return file.lower().endswith(decoding.SUFFIXES) and not file.startswith(".")


def _images(root: pathlib.Path, path: pathlib.Path) -> list[str]:
    found = []
    for folder, _, files in os.walk(path):
        found += [
            pathlib.Path(folder, file).relative_to(root).as_posix()
            for file in files
            if _is_image(file)
        ]
    return sorted(found)


def _check_not_empty(root: pathlib.Path, classes: dict[str, list[str]]) -> None:
    empty = [name for name, files in classes.items() if not files]
    if empty:
        raise ValueError(
            f"{len(empty)} of {len(classes)} class folders in {str(root)!r} hold no images "
            f"({' '.join(decoding.SUFFIXES)}): {listed(empty)}."
        )


def subfolders(path: pathlib.Path) -> list[str]:
    """Returns the names of the folders in a folder, sorted, without hidden ones."""
    names = [entry.name for entry in os.scandir(path) if entry.is_dir()]
    return sorted(name for name in names if not name.startswith((".", "__")))


def listed(names: Sequence[str]) -> str:
    """Names the first of files or folders in a message."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(repr(name) for name in names[:NAMED]) + more
