"""Images that CSV lists (filename, label) put into classes, such as those of mini-ImageNet."""

import collections
import csv
import functools
import os
import pathlib
import re
from collections.abc import Mapping, Sequence

from tfmgaug.data.folders import Folder, listed

_SPLITS = {"train": ("train",), "validation": ("val", "validation"), "test": ("test",)}
_PLACES = ("", "split", "splits")
_HEADER = ["filename", "label"]
_IMAGES = ("images/", "", "train/", "val/", "validation/", "test/")
_OF_IMAGENET = re.compile(r"(n\d{8})_(\d+)\.\w+")  # n01532829_123.JPEG
_COUNTED = re.compile(r"(n\d{8})(\d{8})\.\w+")  # n0153282900000005.jpg


def find(root: pathlib.Path) -> Folder | None:
    """Finds the lists train.csv, val.csv and test.csv, and the images that they name.

    The images lie in images/, beside the lists, or in one folder for each class; if these hold the
    images of ImageNet under their own names, `n0153282900000005.jpg` is the fifth of class
    n01532829 by its number, as Ravi and Larochelle counted.

    Args:
        root: the folder that holds the lists (or split/ with them).

    Returns:
        The `Folder`, split by the lists; None if there are no lists of file names.

    Raises:
        FileNotFoundError: the list of a split, or images, are missing.
        ValueError: a list is laid out otherwise, or names an image or a class twice.
    """
    for place in _PLACES:
        lists = {split: _first(root / place, names) for split, names in _SPLITS.items()}
        there = [path for path in lists.values() if path is not None]
        if any(_header(path) == _HEADER for path in there):
            return _read(root, root / place, lists)
    return None


def _first(folder: pathlib.Path, names: Sequence[str]) -> pathlib.Path | None:
    return next((folder / f"{n}.csv" for n in names if (folder / f"{n}.csv").is_file()), None)


def _header(path: pathlib.Path) -> list[str]:
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        return [text.strip().lower() for text in next(csv.reader(file), [])]


def _read(
    root: pathlib.Path, folder: pathlib.Path, lists: Mapping[str, pathlib.Path | None]
) -> Folder:
    missing = [f"{_SPLITS[split][0]}.csv" for split, path in lists.items() if path is None]
    if missing:
        raise FileNotFoundError(
            f"Expected train.csv, val.csv and test.csv in {str(folder)!r}. Missing: "
            f"{', '.join(missing)}."
        )
    classes: dict[str, list[str]] = {}
    groups: dict[str, list[str]] = {}
    for split, path in lists.items():
        of_split = _lines(path)  # type: ignore[arg-type]
        shared = sorted(set(of_split) & set(classes))
        if shared:
            raise ValueError(
                f"Training, validation and test need different classes. In the lists of "
                f"{str(folder)!r} these are in more than one: {listed(shared)}."
            )
        classes |= of_split
        groups[split] = list(of_split)
    return Folder(root, _located(root, classes), groups, by_list=True)


def _lines(path: pathlib.Path) -> dict[str, list[str]]:
    """The names of the images of each class."""
    if _header(path) != _HEADER:
        raise ValueError(
            f"Expected {','.join(_HEADER)} in the first line of {str(path)!r}. Received: "
            f"{','.join(_header(path))}."
        )
    classes: dict[str, list[str]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        for number, line in enumerate(csv.reader(file), 1):
            if number == 1 or not line:
                continue
            if len(line) != 2 or not all(text.strip() for text in line):
                raise ValueError(
                    f"Expected a file name and a class in line {number} of {str(path)!r}. "
                    f"Received: {','.join(line)!r}."
                )
            name, label = (text.strip() for text in line)
            classes.setdefault(label, []).append(name)
    number_of = collections.Counter(name for names in classes.values() for name in names)
    twice = [name for name, number in number_of.items() if number > 1]
    if twice:
        raise ValueError(f"{str(path)!r} names images twice: {listed(twice)}.")
    return classes


def _located(root: pathlib.Path, classes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The paths of the images, wherever they lie."""
    names_in = functools.cache(lambda folder: _names_in(root / folder))
    located, lost = {}, []
    for label, names in classes.items():
        folders = [f"{place}{below}" for below in ("", f"{label}/") for place in _IMAGES]
        paths = [next((f + n for f in folders if n in names_in(f)), None) for n in names]
        if not any(paths):
            paths = _by_number(label, names, [(f, names_in(f)) for f in folders[len(_IMAGES) :]])
        located[label] = paths
        lost += [name for name, path in zip(names, paths) if path is None]
    if lost:
        raise FileNotFoundError(
            f"{len(lost)} of {sum(map(len, classes.values()))} images that the lists name are not "
            f"in {str(root)!r} (in images/, beside the lists, or in a folder for each class, by "
            f"these names or by ImageNet's): {listed(lost)}."
        )
    return located  # type: ignore[return-value]


def _names_in(folder: pathlib.Path) -> frozenset[str]:
    return frozenset(os.listdir(folder)) if folder.is_dir() else frozenset()


def _by_number(
    label: str, names: Sequence[str], folders: Sequence[tuple[str, frozenset[str]]]
) -> list[str | None]:
    """Images under ImageNet's names, which the lists count in the order of their numbers."""
    for folder, files in folders:
        matches = (_OF_IMAGENET.fullmatch(file) for file in files)
        numbered = {int(m[2]): folder + m[0] for m in matches if m and m[1] == label}
        if numbered:
            paths = [numbered[number] for number in sorted(numbered)]
            counted = [_COUNTED.fullmatch(name) for name in names]
            places = [int(m[2]) - 1 if m and m[1] == label else -1 for m in counted]
            return [paths[i] if 0 <= i < len(paths) else None for i in places]
    return [None] * len(names)
