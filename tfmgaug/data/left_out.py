"""The count of images in a folder that are left out."""

import warnings
from collections.abc import Sequence

from tfmgaug.data.folders import NAMED, Folder, listed, printable


def all_unreadable(
    folder: Folder, undecoded: Sequence[Sequence[str]]
) -> list[tuple[str, str, str]]:
    """Returns class, path and reason of each image that cannot be opened or decoded.

    Args:
        folder: from `scan`.
        undecoded: path and reason of each image that failed to be decoded.
    """
    class_of = {file: name for name, files in folder.classes.items() for file in files}
    unopened = [(name, *pair) for name, pairs in folder.unreadable.items() for pair in pairs]
    return unopened + [(class_of[file], file, reason) for file, reason in undecoded]


def readable(folder: Folder, undecoded: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    """Returns the paths of the decoded images of each class that has any.

    Args:
        folder: from `scan`.
        undecoded: path and reason of each image that failed to be decoded.
    """
    lost = {file for file, _ in undecoded}
    kept = {name: [f for f in files if f not in lost] for name, files in folder.classes.items()}
    return {name: files for name, files in kept.items() if files}


def small_classes(folder: Folder, counts: Sequence[int], min_images: int | None) -> set[str]:
    """Returns the classes to leave out.

    Args:
        folder: from `scan`.
        counts: the number of decoded images of each class.
        min_images: of a class; None for none to leave out.

    Raises:
        ValueError: a class has no images, and none is to be left out.
    """
    if min_images is None:
        lost = [name for name, count in zip(folder.classes, counts) if not count]
        if lost:
            raise ValueError(
                f"No image can be read in {len(lost)} class folders of {str(folder.root)!r}: "
                f"{listed(lost)}. Repair or remove them, or leave them out with min_images "
                "(--skip_small_classes)."
            )
        return set()
    return {name for name, count in zip(folder.classes, counts) if count < max(min_images, 1)}


def refuse_unreadable(folder: Folder, unreadable: Sequence[Sequence[str]], skip: bool) -> None:
    """Refuses images that cannot be read, unless they are to be left out.

    Args:
        folder: from `scan`.
        unreadable: class, path and reason of each.
        skip: whether to leave them out.

    Raises:
        ValueError: there are some.
    """
    if unreadable and not skip:
        raise ValueError(
            f"{len(unreadable)} of {_number(folder)} images in {str(folder.root)!r} cannot be "
            "read; repair or remove them, or pass skip_unreadable=True (--skip_unreadable) to "
            "leave them out:"
            f"{_named(unreadable)}"
        )


def report(
    folder: Folder,
    unreadable: Sequence[Sequence[str]],
    skip: bool,
    small: set[str],
    min_images: int | None,
) -> None:
    """Warns in one line of what is left out, and names below it what cannot be read.

    Args:
        folder: from `scan`.
        unreadable: class, path and reason of each image that cannot be read.
        skip: whether to leave those out.
        small: the classes that are left out.
        min_images: what they have fewer of.

    Raises:
        ValueError: there are unreadable images, which are not to be left out.
    """
    refuse_unreadable(folder, unreadable, skip)
    kinds = folder.what_is_left_out()
    if small:
        many = f"{len(small)} of {len(folder.classes)} classes"
        kinds.append(f"{many} with fewer than {min_images} images ({listed(sorted(small))})")
    if unreadable:
        kinds.append(f"{len(unreadable)} of {_number(folder)} images unreadable")
    if kinds:
        text = f"Left out of {str(folder.root)!r}: {', '.join(kinds)}"
        names = f":{_named(unreadable)}" if unreadable else "."
        warnings.warn(f"{text}{names}", stacklevel=4)


def _number(folder: Folder) -> int:
    return len(folder.files) + sum(map(len, folder.unreadable.values()))


def _named(unreadable: Sequence[Sequence[str]]) -> str:
    lines = [f"\n  {printable(file)}: {reason}" for _, file, reason in unreadable[:NAMED]]
    more = f"\n  and {len(unreadable) - NAMED} more" if len(unreadable) > NAMED else ""
    return "".join(lines) + more
