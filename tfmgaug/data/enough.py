"""The checks that episodes can be drawn from classes."""

from typing import Any

import numpy as np

from tfmgaug.data.image_groups import tables


def check_classes(classes: Any) -> None:
    """Refuses what is no images by class.

    Args:
        classes: anything.

    Raises:
        TypeError: it lacks an attribute of `ImageClasses` that sampling reads.
    """
    for attribute in ("images", "offsets", "counts", "class_names", "name"):
        if not hasattr(classes, attribute):
            raise TypeError(
                "`classes` must be images by class (`tfmgaug.data.ImageClasses`, as "
                "`tfmgaug.data.load` or `from_arrays` return them). "
                f"Received: an object of type {type(classes).__name__}"
            )


def check_enough(classes: Any, way: int, shot: int, query: int) -> None:
    """Refuses classes that episodes cannot be drawn from.

    Args:
        classes: images by class.
        way: classes in a task.
        shot: support images of each class.
        query: query images of each class.

    Raises:
        ValueError: there are too few classes, or a class has too few images.
    """
    counts = np.asarray(classes.counts)
    if len(counts) < way:
        raise ValueError(
            f"Expected at least way={way} classes in {classes.name!r}. Received: {len(counts)}. "
            "Lower the way, or give this set more classes: by other `fractions` or `splits` of "
            "`from_folder` (--fractions), by folders train/, validation/ and test/, or by data."
        )
    short = lacking(classes, shot, query)
    if not len(short):
        return
    worst = short[np.argmin(counts[short])]
    name = classes.class_names[worst]
    remedy = (
        f"({len(short)} of {len(counts)} classes have too few). Lower shot or query, add images, "
        "or leave such classes out (`ImageClasses.with_enough`, --skip_small_classes)"
    )
    if counts[worst] < shot + query:
        raise ValueError(
            f"Expected at least {shot + query} images (shot={shot} + query={query}) in every "
            f"class of {classes.name!r}. Received: {counts[worst]} in class {name!r} {remedy}"
        )
    sizes = tables(classes.groups, np.asarray(classes.offsets))[1][worst]
    raise ValueError(
        f"Expected query={query} images outside of the groups of any shot={shot} support images in "
        f"every class of {classes.name!r}. Received: {counts[worst]} images in "
        f"{np.count_nonzero(sizes)} groups, the largest of {sizes.max()}, in class {name!r} "
        f"{remedy}, or form smaller groups."
    )


def lacking(classes: Any, shot: int, query: int) -> np.ndarray:
    """Finds the classes that cannot fill an episode.

    Args:
        classes: images by class.
        shot: support images of each class.
        query: query images of each class.

    Returns:
        The numbers of classes with fewer than `shot + query` images; or in which, whichever groups
        the support set takes, too few images may be left outside of them.
    """
    counts, groups = np.asarray(classes.counts), getattr(classes, "groups", None)
    small = counts < shot + query
    if groups is not None:
        _, sizes = tables(groups, np.asarray(classes.offsets))
        # Whatever was drawn, one more group of the support set fits if the largest does.
        for c in np.flatnonzero(~small & (counts - sizes.max(1) < shot - 1 + query)):
            small[c] = not _suffices(sizes[c][sizes[c] > 0].tolist(), shot, query)
    return np.flatnonzero(small)


def _suffices(sizes: list[int], shot: int, query: int) -> bool:
    """Whether any group may join a support set that is not full, and leave enough queries."""
    most = sum(sizes) - query
    for size in set(sizes):
        others = list(sizes)
        others.remove(size)
        reachable = 1  # bit n: some other groups have n images together
        for other in others:
            if other < shot:
                reachable |= reachable << other
        fullest = (reachable & ((1 << shot) - 1)).bit_length() - 1
        if fullest + size > most:
            return False
    return True
