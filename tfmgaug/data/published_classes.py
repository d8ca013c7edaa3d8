"""The check that images are of the classes that a published split names."""

import re
import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from tfmgaug.data.folders import Folder, listed, subfolders

_WORDNET_ID = re.compile(r"n\d{8}")
# How many images of each class a published set has.
_IMAGES = {"mini_imagenet": 600}


def groups_of(
    class_of: Sequence[str],
    split: str | None,
    file: str,
    name: str,
    lists: Mapping[str, list[str]],
) -> dict[str, list[str]]:
    """Returns the classes of each split that some images are of.

    Args:
        class_of: the class of each image.
        split: which the file says these are of; None if it says nothing.
        file: for messages.
        name: of the data set.
        lists: class names for training, validation and test.

    Returns:
        Class names of the splits that the images belong to. Names that are no WordNet ids are taken
        as they are, with a warning, if there are as many as published.

    Raises:
        ValueError: they are of other classes than published, or of another split.
    """
    expected = lists if split is None else {split: lists[split]}
    names, present = [c for group in expected.values() for c in group], set(class_of)
    if split is not None and not any(_WORDNET_ID.fullmatch(c) for c in present):
        return {split: _unknown(class_of, names, file, name)}
    missing = [c for c in names if c not in present]
    unexpected = sorted(present - set(names))
    if missing or (split is not None and unexpected):
        of_split = "" if split is None else f" {split}"
        raise ValueError(
            f"{file!r} holds other classes than the{of_split} classes of {name} as published"
            f"{differences(missing, unexpected)}"
        )
    return {key: list(group) for key, group in expected.items()}


def check_folder(folder: Folder, name: str, lists: Mapping[str, list[str]]) -> list[list[str]]:
    """Checks that a folder holds the published classes, and each in its split.

    Args:
        folder: of images, with its classes.
        name: of the data set.
        lists: class names for training, validation and test.

    Returns:
        The three lists of names.

    Raises:
        ValueError: classes are missing, or in another split than published.
    """
    names = [c for group in lists.values() for c in group]
    missing = [c for c in names if c not in folder.classes]
    if missing:
        others = sorted(_others(folder) - set(names))
        raise ValueError(
            f"{len(missing)} of {len(names)} classes have no folder in {str(folder.root)!r}"
            f"{differences(missing, others)}"
        )
    elsewhere = [
        (c, split, other)
        for split, of_split in lists.items()
        for other, members in (folder.groups or {}).items()
        for c in sorted(set(of_split) & set(members))
        if other != split
    ]
    if elsewhere:
        c, split, other = elsewhere[0]
        raise ValueError(
            f"{len(elsewhere)} of {len(folder.classes)} classes in {str(folder.root)!r} are in "
            f"another split than the published one of {name}, e.g. {c!r} is a {other} class "
            f"there. Expected: {split}."
        )
    return [list(group) for group in lists.values()]


def _others(folder: Folder) -> set[str]:
    """All classes of a folder or of its lists, also those that were not asked for."""
    if folder.by_list:
        return set(folder.classes)
    inside = subfolders(folder.root)
    if folder.groups is None:
        return set(inside)
    return {name for split in inside for name in subfolders(folder.root / split)}


def _unknown(class_of: Sequence[str], names: list[str], file: str, name: str) -> list[str]:
    """Class names that can't be compared with WordNet ids, in the order of their first images."""
    present = list(dict.fromkeys(class_of))
    if len(present) != len(names):
        raise ValueError(
            f"Expected {len(names)} classes in {file!r}, as published for {name}. Received: "
            f"{len(present)}, {listed(present)}."
        )
    warnings.warn(
        f"The {len(present)} classes in {file!r} have no WordNet ids ({listed(present[:2])} and so "
        f"on): that they are those of {name} cannot be checked, only their number.",
        stacklevel=2,
    )
    return present


def differences(missing: Sequence[str], unexpected: Sequence[str]) -> str:
    """Names the classes that are missing and those that nobody expects, as the end of a sentence.

    Args:
        missing: published classes that have no images.
        unexpected: classes with images that are not among the published ones.
    """
    parts = [
        f"{len(names)} {kind} ({listed(names)})"
        for kind, names in (("missing", missing), ("unexpected", unexpected))
        if names
    ]
    also = " Data sets of other classes go by the same name." if missing and unexpected else ""
    return f": {' and '.join(parts)}.{also}"


def warn_of_counts(name: str, counts: np.ndarray, remedy: str) -> None:
    """Says how many images a class has, where the published set has another number.

    Args:
        name: of the data set.
        counts: the number of images of each class.
        remedy: what to do if there are more, a sentence.
    """
    published = _IMAGES.get(name)
    if published is None or (counts == published).all():
        return
    low, high = int(counts.min()), int(counts.max())
    warnings.warn(
        f"{name} as published has {published} images of each class. Received: "
        f"{low if low == high else f'{low} to {high}'}.{f' {remedy}' if high > published else ''}",
        stacklevel=3,
    )
