"""The image files below a folder, and a count of what is left out there."""

import collections
import os
import pathlib
from typing import NamedTuple

from tfmgaug.data import decoding

_Identity = tuple[int, int]


class Listing(NamedTuple):
    """What lies below a folder.

    Attributes:
        images: the paths of files that Pillow can read by their name, sorted.
        unreadable: paths of images and folders that cannot even be opened, each with the reason.
        left_out: how many other files there are of each kind, such as ".txt" or "hidden".
    """

    images: list[str]
    unreadable: list[tuple[str, str]]
    left_out: collections.Counter[str]


def list_images(root: pathlib.Path, below: str) -> Listing:
    """Lists the image files below a folder, however deep, without hidden files and folders.

    Links to folders are followed, but for those that lead to a folder around them.

    Args:
        root: the folder that paths are relative to.
        below: path of the folder to look into, relative to `root`.

    Returns:
        The `Listing`.
    """
    listing = Listing([], [], collections.Counter())
    _walk(root, below, frozenset(), listing)
    listing.images.sort()
    return listing


def list_folder(path: pathlib.Path) -> tuple[list[str], Listing]:
    """Lists the folders and the files directly in a folder.

    Args:
        path: the folder.

    Returns:
        The names of the folders, sorted, without hidden ones; and a `Listing` of the files.
    """
    folders: list[str] = []
    listing = Listing([], [], collections.Counter())
    for entry in os.scandir(path):
        if is_folder(entry) and not entry.name.startswith((".", "__")):
            folders.append(entry.name)
        elif is_folder(entry):
            listing.left_out["hidden"] += 1
        else:
            _sort_in(entry, entry.name, listing)
    listing.images.sort()
    return sorted(folders), listing


def is_folder(entry: os.DirEntry) -> bool:
    """Whether an entry is a folder or a link to one; links that lead nowhere are not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def _walk(root: pathlib.Path, below: str, around: frozenset[_Identity], listing: Listing) -> None:
    try:
        stat = os.stat(root / below)
        entries = list(os.scandir(root / below))
    except OSError as error:
        listing.unreadable.append((f"{below}/", error.strerror or str(error)))
        return
    identity = (stat.st_dev, stat.st_ino)
    if identity in around:
        listing.left_out["links to a folder around them"] += 1
        return
    for entry in entries:
        path = f"{below}/{entry.name}"
        if is_folder(entry) and not entry.name.startswith("."):
            _walk(root, path, around | {identity}, listing)
        else:
            _sort_in(entry, path, listing)


def _sort_in(entry: os.DirEntry, path: str, listing: Listing) -> None:
    suffix = pathlib.PurePath(entry.name).suffix.lower()
    if entry.name.startswith("."):
        listing.left_out["hidden"] += 1
    elif suffix not in decoding.suffixes():
        listing.left_out[suffix or "without extension"] += 1
    elif reason := _why_unreadable(entry):
        listing.unreadable.append((path, reason))
    else:
        listing.images.append(path)


def _why_unreadable(entry: os.DirEntry) -> str:
    """Why a file cannot be opened; an empty string for a file that can."""
    try:
        if entry.is_file():
            return ""
        os.stat(entry.path)
        return "no regular file"  # opening a pipe would wait for ever
    except FileNotFoundError:
        return f"a link to {os.readlink(entry.path)!r}, which is not there"
    except OSError as error:
        return error.strerror or str(error)
