"""The layout of a folder of images by class."""

import collections
import pathlib
import unicodedata
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfmgaug.data import decoding
from tfmgaug.data.image_classes import Splits
from tfmgaug.data.image_files import Listing, list_folder, list_images
from tfmgaug.data.image_fit import ImageFit

NAMED = 10  # how many files or folders a message names
_SPLIT_FOLDERS = {
    **{"train": "train", "test": "test"},
    **dict.fromkeys(("validation", "val", "valid"), "validation"),
}


class Folder(NamedTuple):
    """Image files by class, and the classes of each split where the folder gives them.

    Attributes:
        root: the folder.
        classes: for each class the paths of its images, relative to `root`.
        groups: the classes of each split; None if the folder is not split.
        boxes: for each path what to cut out of the image: left, upper, right and lower edge in
            pixels; None for the whole images.
        unreadable: for each class the images and folders that cannot be opened, with the reasons.
        left_out: how many files of each kind were left out.
        by_list: whether a list says which class an image is of, and not its path.
    """

    root: pathlib.Path
    classes: dict[str, list[str]]
    groups: dict[str, list[str]] | None
    boxes: dict[str, tuple[int, int, int, int]] | None = None
    unreadable: Mapping[str, Sequence[tuple[str, str]]] = {}
    left_out: Mapping[str, int] = {}
    by_list: bool = False

    @property
    def files(self) -> list[str]:
        """The paths of all images, class after class."""
        return [file for files in self.classes.values() for file in files]

    def decode(
        self,
        file: str,
        image_size: tuple[int, int] | None,
        channels: int,
        keep_aspect_ratio: bool = False,
        image_fit: ImageFit = "squash",
    ) -> np.ndarray:
        """Decodes an image, or what its box cuts out of it; see `decoding.decode`."""
        box = None if self.boxes is None else self.boxes[file]
        options = (image_size, channels, box, keep_aspect_ratio, image_fit)
        return decoding.decode(self.root / file, *options)

    def key(self) -> tuple[Any, ...]:
        """What the pixels by class depend on beside the images and their paths."""
        if self.boxes is None and not self.by_list:
            return ()  # the paths say which class an image is of
        return ([len(f) for f in self.classes.values()], sorted((self.boxes or {}).items()))

    def what_is_left_out(self) -> list[str]:
        """How many files of each kind are left out, in words; unreadable ones apart."""
        heic = " (to read them: pip install pillow-heif)"
        return [
            f"{count} {kind}{heic if kind in decoding.HEIC else ''}"
            for kind, count in sorted(self.left_out.items(), key=lambda item: (-item[1], item[0]))
        ]


def scan(root: pathlib.Path, chosen: Collection[str] | None = None) -> Folder:
    """Lists the images of a folder by class, and by split if it is split.

    Args:
        root: the folder.
        chosen: the classes to look at; None for all that there are.

    Returns:
        The `Folder`, in which classes may have no images.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is laid out otherwise than `from_folder` says.
    """
    if not root.is_dir():
        raise FileNotFoundError(f"Expected a folder of images. There is none at {str(root)!r}.")
    folders, beside = list_folder(root)
    if not folders:
        raise ValueError(
            f"Expected one folder for each class in {str(root)!r}. Received no folders, "
            f"{len(beside.images)} images."
        )
    if _are_splits(root, folders):
        return _scan_splits(root, folders, beside, chosen)
    listings = {name: list_images(root, name) for name in _only(folders, chosen)}
    return _folder(root, listings, None, {".": beside} if chosen is None else {})


def is_split(root: pathlib.Path) -> bool:
    """Whether the folders in a folder are training, validation or test classes.

    Args:
        root: the folder.
    """
    return root.is_dir() and _are_splits(root, list_folder(root)[0])


def check_overlap(
    groups: Mapping[str, Sequence[str]], root: pathlib.Path, split_by_user: bool
) -> None:
    """Looks for classes of two splits that differ in upper and lower case or in encoding alone.

    Args:
        groups: the classes of each split.
        root: the folder, for the message.
        split_by_user: whether the folder itself is split: then such classes are refused. Otherwise
            a warning says which there are, since letters may be classes.

    Raises:
        ValueError: a folder that is split has such classes.
    """
    split_of: dict[str, tuple[str, str]] = {}
    pairs = []
    for split, names in groups.items():
        for name in names:
            alike = unicodedata.normalize("NFC", name).casefold()
            other_split, other = split_of.setdefault(alike, (split, name))
            if other_split != split:
                pairs.append(f"{other_split}/{other} and {split}/{name}")
    if not pairs:
        return
    message = (
        "Training, validation and test need different classes in few-shot learning. In "
        f"{str(root)!r} the names of these differ in case or encoding alone: {listed(pairs)}."
    )
    if split_by_user:
        raise ValueError(f"{message} Rename or merge them.")
    warnings.warn(f"{message} If they are one class, merge them.", stacklevel=4)


def _are_splits(root: pathlib.Path, folders: list[str]) -> bool:
    """Whether folders are splits: train/ with folders in it, or others of a split alone."""
    names = {_SPLIT_FOLDERS.get(name.lower()): name for name in folders}
    if "train" in names:
        return bool(subfolders(root / names["train"]))
    return None not in names and all(subfolders(root / name) for name in folders)


def _only(names: list[str], chosen: Collection[str] | None) -> list[str]:
    return names if chosen is None else [name for name in names if name in chosen]


def _scan_splits(
    root: pathlib.Path, folders: list[str], beside: Listing, chosen: Collection[str] | None
) -> Folder:
    split_of = {name: _SPLIT_FOLDERS.get(name.lower(), name) for name in folders}
    splits = sorted(split_of.values())
    whole = splits == ["test", "train", "validation"]
    if not whole and ("train" in splits or len(set(splits)) < len(splits)):
        raise ValueError(
            f"Beside train/ with folders of classes, {str(root)!r} must hold validation/ (or val/) "
            f"and test/, and no other folders. Received: {', '.join(folders)}."
        )
    listings: dict[str, Listing] = {}
    loose = {".": beside}
    groups: dict[str, list[str]] = {field: [] for field in Splits._fields}
    for folder in sorted(folders, key=lambda name: Splits._fields.index(split_of[name])):
        names, loose[folder] = list_folder(root / folder)
        names = _only(names, chosen)
        shared = sorted(set(names) & set(listings))
        if shared:
            raise ValueError(
                "Training, validation and test need different classes in few-shot learning. "
                f"In {str(root)!r} these are in more than one: {listed(shared)}."
            )
        if not names and chosen is None:
            raise ValueError(f"{str(root / folder)!r} holds no folders of classes.")
        listings |= {name: list_images(root, f"{folder}/{name}") for name in names}
        groups[split_of[folder]] = names
    check_overlap(groups, root, split_by_user=True)
    return _folder(root, listings, groups, loose if chosen is None else {})


def _folder(
    root: pathlib.Path,
    listings: dict[str, Listing],
    groups: dict[str, list[str]] | None,
    beside: dict[str, Listing],
) -> Folder:
    """Puts together what was found in the folders of classes and beside them.

    Of a published data set, whose classes are chosen, nobody misses what lies beside them.
    """
    everything = [*listings.values(), *beside.values()]
    left_out = sum((listing.left_out for listing in everything), collections.Counter())
    loose = [
        name if place == "." else f"{place}/{name}"
        for place, listing in beside.items()
        for name in [*listing.images, *(file for file, _ in listing.unreadable)]
    ]
    if loose:
        left_out[f"images beside the folders of classes ({listed(loose)})"] = len(loose)
    return Folder(
        root,
        {name: listing.images for name, listing in listings.items()},
        groups,
        unreadable={name: listing.unreadable for name, listing in listings.items()},
        left_out=left_out,
    )


def check_not_empty(folder: Folder) -> None:
    """Refuses a folder with a class without images.

    Args:
        folder: from `scan`.

    Raises:
        ValueError: a class has none.
    """
    empty = [name for name, files in folder.classes.items() if not files]
    if empty:
        kinds = folder.what_is_left_out()
        raise ValueError(
            f"{len(empty)} of {len(folder.classes)} class folders in {str(folder.root)!r} hold no "
            f"images that can be read: {listed(empty)}."
            + (f" In all folders were left out: {', '.join(kinds)}." if kinds else "")
            + " Fill or remove them, or leave them out with min_images "
            "(--skip_small_classes)."
        )


def subfolders(path: pathlib.Path) -> list[str]:
    """Returns the names of the folders in a folder, sorted, without hidden ones."""
    return list_folder(path)[0]


def listed(names: Sequence[str]) -> str:
    """Names the first of files or folders in a message."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(repr(name) for name in names[:NAMED]) + more


def printable(name: str) -> str:
    """Returns a name as it is, or quoted where it holds line breaks and the like."""
    return name if name.isprintable() else repr(name)
