"""Groups of images that belong together, such as all photos of one thing."""

import pathlib
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np

GroupOf = Callable[[str], Hashable | None]


def codes(groups: Sequence[Any] | np.ndarray, number: int) -> np.ndarray:
    """Numbers the groups of images.

    Args:
        groups: the group of each image, integers or names.
        number: how many images there are.

    Returns:
        `[images]` int64; images of one group have one number.

    Raises:
        ValueError: they are not one integer or name for each image.
    """
    array = np.asarray(groups)
    if array.shape != (number,) or array.dtype.kind not in "iuUS":
        raise ValueError(
            f"`groups` must be one integer or name for each of {number} images. "
            f"Received shape {array.shape}, dtype {array.dtype}."
        )
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def of_files(
    classes: Mapping[str, Sequence[str]], groups: str | GroupOf, depth: int = 1
) -> np.ndarray:
    """Finds the groups of image files.

    Args:
        classes: for each class the paths of its images.
        groups: `"folder"` for the folders below that of a class; or a function from a path to a
            group, None for an image by itself.
        depth: how many folders of a path lead to the images of a class.

    Returns:
        `[images]` int64, class after class.

    Raises:
        TypeError: `groups` is something else, or a group is no key of a dictionary.
        ValueError: no image lies in a folder below its class's.
    """
    if groups != "folder" and not callable(groups):
        raise TypeError(
            "`groups` must be 'folder', a function from the path of an image to its group, or "
            f"None. Received: {groups!r}."
        )
    numbers: dict[Hashable, int] = {}
    group_of_image = []
    for name, files in classes.items():
        for file in files:
            group = _below(file, depth) if groups == "folder" else groups(file)  # type: ignore[operator]
            key = (name, False, file) if group is None else (name, True, group)
            group_of_image.append(numbers.setdefault(key, len(numbers)))
    if groups == "folder" and len(numbers) == len(group_of_image):
        raise ValueError(
            "groups='folder' expects images in folders below those of the classes, as "
            "class/group/image.jpg, and some folder with more than one. Received: none."
        )
    return np.array(group_of_image, np.int64)


def by_pattern(pattern: str) -> GroupOf:
    r"""Returns the function from paths to groups that a regular expression stands for.

    Args:
        pattern: regular expression with one group in parentheses, which is looked for in a path.
            Where the parentheses take no part in the match, an image is by itself.

    Returns:
        The function, which raises a `ValueError` for a path without a match.

    Raises:
        ValueError: the pattern is no regular expression with one group.

    Example:
    >>> by_pattern(r"_(bird\d+)_")("robin/0001_bird7_left.jpg")
    'bird7'
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}.") from error
    if compiled.groups != 1:
        raise ValueError(
            f"Expected one group in parentheses in the regular expression {pattern!r}. "
            f"Received: {compiled.groups}."
        )

    def group_of(path: str) -> str | None:
        match = compiled.search(path)
        if match is None:
            raise ValueError(
                f"The regular expression {pattern!r} of groups matches every path but {path!r} "
                "and perhaps others: extend it by an alternative without parentheses for images "
                "that are by themselves."
            )
        return match.group(1)

    return group_of


def tables(groups: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers the groups of each class from 0.

    Args:
        groups: `[images]` integers.
        offsets: of the classes, `[classes + 1]`.

    Returns:
        The group of each image of each class, `[classes, images of the largest]` int32; and the
        number of images of each group, `[classes, most groups of a class]` int32. Both end in
        zeros where a class has fewer.
    """
    inverse = [
        np.unique(groups[first:last], return_inverse=True)[1]
        for first, last in zip(offsets[:-1], offsets[1:])
    ]
    sizes = [np.bincount(numbers) for numbers in inverse]
    return _padded(inverse), _padded(sizes)


def _below(file: str, depth: int) -> str | None:
    """The folder below that of its class that a file lies in."""
    parts = pathlib.PurePosixPath(file).parts
    return parts[depth] if len(parts) > depth + 1 else None


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    table = np.zeros([len(rows), max(map(len, rows), default=0)], np.int32)
    for row, values in zip(table, rows):
        row[: len(values)] = values
    return table
