"""Sources of images by class: arrays, image folders, TensorFlow Datasets."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tfmgaug.data import image_groups
from tfmgaug.data.duplicates import count_duplicates, warn_of_duplicates
from tfmgaug.data.image_classes import ImageClasses, Splits
from tfmgaug.data.image_folder import from_folder
from tfmgaug.data.splitting import split_classes
from tfmgaug.data.tfds_source import from_tfds

__all__ = ["ImageClasses", "Splits", "from_arrays", "from_folder", "from_tfds", "split_classes"]


def from_arrays(
    images: np.ndarray | Sequence[np.ndarray],
    labels: Sequence[int] | Sequence[str] | np.ndarray | None = None,
    *,
    class_names: Sequence[str] | None = None,
    groups: Sequence[int] | Sequence[str] | np.ndarray | None = None,
    name: str = "arrays",
) -> ImageClasses:
    """Groups images in memory by class.

    Pictures that have a twin in their class are counted, see `count_duplicates`; a warning says how
    many.

    Args:
        images: with `labels`, one array `[images, height, width, channels]`, or
            `[images, height, width]` for one channel; without, one such array for each class.
            uint8 in 0-255, 1 or 3 channels.
        labels: the class of each image, integers or names. Classes are ordered by label.
        class_names: names of the classes. Integer labels then count from 0 and index them. None
            takes the labels, or the numbers of the arrays.
        groups: for each image an integer or a name that it shares with those of its class that
            belong together, such as photos of one thing: they stand on one side of an episode.
            Without `labels`, those of all arrays, one after the other. None: each is by itself.
        name: what reports call the set.

    Returns:
        Images by class.

    Raises:
        ValueError: shapes, dtypes, labels or names don't fit each other.

    Example:
    >>> classes = from_arrays(np.zeros([4, 28, 28, 1], "uint8"), ["a", "b", "b", "a"])
    >>> classes.class_names
    ('a', 'b')
    """
    if labels is None:
        return _counted(_from_list(images, class_names, name), groups)  # type: ignore[arg-type]
    images = _with_channels(np.asarray(images), "images")
    labels = np.asarray(labels)
    if labels.shape != images.shape[:1] or labels.dtype.kind not in "iuUS":
        raise ValueError(
            f"`labels` must be one integer or name for each of {len(images)} images. "
            f"Received shape {labels.shape}, dtype {labels.dtype}."
        )
    values, class_of = np.unique(labels, return_inverse=True)
    names = [str(v.decode() if isinstance(v, bytes) else v) for v in values.tolist()]
    if class_names is not None:
        names = _names_of(values, class_names)
    counts = np.bincount(class_of, minlength=len(values))
    order = np.argsort(class_of, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if groups is not None:
        groups = image_groups.codes(groups, len(images))[order]
    return _counted(ImageClasses(images[order], offsets, tuple(names), name), groups)


def _counted(classes: ImageClasses, groups: np.ndarray | None) -> ImageClasses:
    classes = dataclasses.replace(classes, groups=groups)
    classes = dataclasses.replace(classes, duplicates=count_duplicates(classes))
    warn_of_duplicates([classes], stacklevel=4)
    return classes


def _from_list(
    images: Sequence[np.ndarray], class_names: Sequence[str] | None, name: str
) -> ImageClasses:
    if isinstance(images, np.ndarray) and images.ndim < 5:
        raise ValueError(
            "Without `labels`, `images` must be one array for each class. "
            f"Received one array of shape {images.shape}."
        )
    names = [str(i) for i in range(len(images))] if class_names is None else list(class_names)
    if not len(images) or len(names) != len(images):
        raise ValueError(
            "Expected at least one class, and as many class names. "
            f"Received {len(images)} arrays, {len(names)} names."
        )
    arrays = [_with_channels(np.asarray(a), f"class {n!r}") for a, n in zip(images, names)]
    shape, dtype = arrays[0].shape[1:], arrays[0].dtype
    for array, class_name in zip(arrays, names):
        if array.shape[1:] != shape or array.dtype != dtype:
            raise ValueError(
                f"The images of all classes must have one shape and dtype. {names[0]!r} has {shape}"
                f" {dtype}. Received {array.shape[1:]} {array.dtype} for {class_name!r}."
            )
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])])
    return ImageClasses(np.concatenate(arrays), offsets, tuple(names), name)


def _with_channels(images: np.ndarray, what: str) -> np.ndarray:
    if images.ndim not in (3, 4):
        raise ValueError(
            f"Expected {what} of shape [images, height, width, channels] or [images, height, "
            f"width]. Received shape: {images.shape}."
        )
    return images[..., np.newaxis] if images.ndim == 3 else images


def _names_of(labels: np.ndarray, class_names: Sequence[str]) -> list[str]:
    fits = labels.dtype.kind in "iu" and len(labels) == len(class_names)
    if not fits or labels[0] != 0 or labels[-1] != len(class_names) - 1:
        raise ValueError(
            f"With {len(class_names)} `class_names`, `labels` must be integers from 0 to "
            f"{len(class_names) - 1}, each at least once. Received {len(labels)} different labels "
            f"from {labels[0].item()!r} to {labels[-1].item()!r}."
        )
    return list(class_names)
