"""Data sets with a published split: class lists and sources of images."""

import dataclasses
import functools
import importlib.resources
import json
import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from tfmgaug.data import (
    aircraft,
    archives,
    csv_lists,
    decoding,
    image_folder,
    parquet_sets,
    photos,
    pickled_sets,
    published_classes,
    splitting,
)
from tfmgaug.data import image_fit as fits
from tfmgaug.data.archives import Archive
from tfmgaug.data.folders import Folder, listed, scan, subfolders
from tfmgaug.data.image_classes import ImageClasses, Splits
from tfmgaug.data.tfds_source import from_tfds

_SPLIT_FOLDERS = ("train", "validation", "val", "test")


@dataclasses.dataclass(frozen=True)
class _Source:
    """Where the images of a published split come from.

    Attributes:
        dataset: its name in TensorFlow Datasets; None if it must be placed by hand.
        split: which of its splits hold the images.
        side: of the images in pixels; None for the one that they have.
        inside: folders below `data_dir` that may hold the folders of classes.
        partial: whether the data set has classes that the lists leave out.
        rename: function from its class names and the published ones to those of the lists.
        archive: function that finds the official archive in a folder, or None.
        archives: functions that find images in a few large files, or lists of images, in a folder.
        archive_wanted: what that archive is, in words.
    """

    dataset: str | None = None
    split: str = "all"
    side: int | None = None
    inside: tuple[str, ...] = ("",)
    partial: bool = False
    rename: Callable[[Sequence[str], Sequence[str]], Sequence[str]] | None = None
    archive: Callable[[pathlib.Path], Folder | None] | None = None
    archives: tuple[Callable[[pathlib.Path], Folder | Archive | None], ...] = ()
    archive_wanted: str = ""


def _by_number(numbers: Sequence[str], names: Sequence[str]) -> list[str]:
    """TensorFlow Datasets numbers the birds from 0 in the order of the names, `001.` and so on."""
    ordered = sorted(names)
    return [ordered[int(number)] for number in numbers]


def _with_number(plain: Sequence[str], names: Sequence[str]) -> list[str]:
    """The flowers of the lists have their number before the name, `001.` and so on."""
    numbered = {name.split(".", 1)[1]: name for name in names}
    return [numbered[name] for name in plain]


def _without_slash(plain: Sequence[str], names: Sequence[str]) -> list[str]:
    """No folder's name can have a slash, hence none in the lists."""
    return [name.replace("/", "-") for name in plain]


_CIFAR100 = _Source("cifar100", "train+test")
_IMAGENET = _Source(
    *("imagenet2012", "train"),
    side=84,
    inside=("", "images"),
    partial=True,
    archives=(csv_lists.find, pickled_sets.find, parquet_sets.find),
    archive_wanted=(
        "a folder with train.csv, val.csv and test.csv (filename,label) and the images that they "
        "name, or with the usual pickles (mini-imagenet-cache-*.pkl, "
        "miniImageNet_category_split_*.pickle, *_images_png.pkl with *_labels.pkl), or Parquet "
        "files."
    ),
)
_REMEDY = (
    "Ravi and Larochelle's lists train.csv, val.csv and test.csv beside the folders choose theirs."
)

_SOURCES = {
    "aircraft": _Source(
        side=32, inside=("", "images"), archive=aircraft.scan, archive_wanted=aircraft.WANTED
    ),
    # The study of the split, like the Meta-ticket code, takes the training images alone.
    "cars": _Source("cars196", "train", side=84, rename=_without_slash),
    "cifar_fs": _CIFAR100,
    "cub": _Source(
        "caltech_birds2011",
        "train+test",
        side=84,
        inside=("", "images", "CUB_200_2011/images"),
        rename=_by_number,
    ),
    "fc100": _CIFAR100,
    "mini_imagenet": _IMAGENET,
    "tiered_imagenet": _IMAGENET,
    "vgg_flowers": _Source(
        "oxford_flowers102", "train+validation+test", side=32, rename=_with_number
    ),
}

_LISTS = (*_SOURCES, "omniglot_vinyals")
NAMES = tuple(_SOURCES)


def class_lists(name: str) -> dict[str, list[str]]:
    """Returns the published class split of a data set.

    Args:
        name: `"aircraft"`, `"cars"`, `"cifar_fs"`, `"cub"`, `"fc100"`, `"mini_imagenet"` or
            `"tiered_imagenet"` (WordNet ids), `"omniglot_vinyals"` or `"vgg_flowers"`.

    Returns:
        The names of the classes for `"train"`, `"validation"` and `"test"`.

    Raises:
        ValueError: the name is unknown.

    Example:
    >>> splits = from_folder("cifar100/", splits=class_lists("fc100"))
    """
    if name not in _LISTS:
        raise ValueError(f"`name` must be one of {', '.join(_LISTS)}. Received: {name!r}.")
    return {field: list(read_lists(name)[field]) for field in Splits._fields}


@functools.cache
def read_lists(name: str) -> dict[str, list[str]]:
    """Returns the lists of a file of this package, by their names in it.

    Args:
        name: the file's, without its ending.

    Returns:
        The file's content; don't change it.
    """
    file = importlib.resources.files("tfmgaug.data") / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def load(
    name: str,
    data_dir: str | os.PathLike | None,
    image_size: tuple[int, int] | None,
    cache_dir: str | os.PathLike | None,
    skip_unreadable: bool,
    download: bool,
    keep_aspect_ratio: bool = False,
    image_fit: fits.ImageFit = "squash",
) -> Splits:
    """Loads a data set with a published split, from a folder of its classes or from TFDS.

    Args:
        name: one of `NAMES`.
        data_dir: a folder of images, or that of TensorFlow Datasets; None for its default.
        image_size: height and width; None for the data set's own.
        cache_dir: folder of the cache.
        skip_unreadable: whether to leave out a folder's unreadable images.
        download: whether TensorFlow Datasets may download what is not there.
        keep_aspect_ratio: whether images are shrunk to fit into `image_size`, see `from_folder`.
        image_fit: how an image becomes one of `image_size`, see `from_tfds`.

    Returns:
        `Splits(train, validation, test)`.

    Raises:
        FileNotFoundError: the images are not there, and the message says what to place where.
        ValueError: a folder holds images, but not of these classes, or not of all.
    """
    lists, source = class_lists(name), _SOURCES[name]
    photos.check(keep_aspect_ratio, image_size)
    image_size = image_size or decoding.check_image_size(source.side)
    fits.check(image_fit, image_size, keep_aspect_ratio)
    images = None if data_dir is None else _find(pathlib.Path(data_dir).expanduser(), name, lists)
    if images is not None:
        options = (skip_unreadable, cache_dir, keep_aspect_ratio, image_fit)
        splits = _read(images, name, lists, image_size, *options)
        counts = np.concatenate([classes.counts for classes in splits])
        published_classes.warn_of_counts(name, counts, _REMEDY)
        return splits
    if source.dataset is None:
        raise FileNotFoundError(
            f"{name} can't be downloaded. Pass as `data_dir` {source.archive_wanted}\n"
            f"Or pass {_folder_wanted(name, lists)} Received: data_dir="
            f"{None if data_dir is None else str(data_dir)!r}."
        )
    names = _all(lists)
    try:
        classes = from_tfds(
            *(source.dataset, source.split, image_size),
            classes=names if source.partial else None,
            data_dir=data_dir,
            download=download,
            cache_dir=cache_dir,
            name=name,
            keep_aspect_ratio=keep_aspect_ratio,
            image_fit=image_fit,
        )
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{error}\nOr pass as `data_dir` {_folder_wanted(name, lists)}{_archive_wanted(source)}"
        ) from error
    return splitting.arrange(_renamed(classes, source, names), list(lists.values()), cache_dir)


def _read(
    images: Folder | Archive,
    name: str,
    lists: Mapping[str, list[str]],
    image_size: tuple[int, int] | None,
    skip_unreadable: bool,
    cache_dir: str | os.PathLike | None,
    keep_aspect_ratio: bool,
    image_fit: fits.ImageFit,
) -> Splits:
    if isinstance(images, Archive):
        if image_fit != "squash":
            raise ValueError(
                f"`image_fit` (--image_fit={image_fit}) is of image files and TensorFlow Datasets. "
                f"Received: {images.files[0]!r} and others, which hold many images each."
            )
        if skip_unreadable:
            raise ValueError(
                "`skip_unreadable` (--skip_unreadable) leaves out image files. Received: "
                f"{images.files[0]!r} and others, which hold many images each."
            )
        return archives.read(images, name, lists, image_size, cache_dir, keep_aspect_ratio)
    groups = published_classes.check_folder(images, name, lists)
    return image_folder.read(
        *(images, groups, image_size, 3, skip_unreadable, cache_dir, name),
        keep_aspect_ratio=keep_aspect_ratio,
        image_fit=image_fit,
    )


def _find(root: pathlib.Path, name: str, lists: Mapping[str, list[str]]) -> Folder | Archive | None:
    """The images of the first place that holds a class; None if there are none at all."""
    names, source = _all(lists), _SOURCES[name]
    archive = source.archive and source.archive(root)
    if archive is not None:
        return archive  # type: ignore[return-value]
    for find in source.archives:
        images = find(root)
        if images is not None:
            return images
    for place in source.inside:
        folders = [root / place, *(root / place / split for split in _SPLIT_FOLDERS)]
        if any((folder / c).is_dir() for folder in folders for c in names):
            return scan(root / place, set(names))
    prepared = source.dataset is not None and (root / source.dataset).is_dir()
    if not prepared and _holds_images(root):
        raise ValueError(
            f"{str(root)!r} holds images, but no folder of any of the {len(names)} classes of "
            f"{name}. Expected {_folder_wanted(name, lists)}{_archive_wanted(source)} Received "
            f"folders: {listed(subfolders(root)) or 'none'}."
        )
    return None


def _holds_images(root: pathlib.Path) -> bool:
    # TensorFlow Datasets keeps images in records, and what it has unpacked far deeper.
    return any(
        file.suffix.lower() in decoding.suffixes()
        for depth in ("*", "*/*", "*/*/*")
        for file in root.glob(depth)
    )


def _renamed(classes: ImageClasses, source: _Source, names: Sequence[str]) -> ImageClasses:
    if source.rename is None:
        return classes
    renamed = source.rename(classes.class_names, names)
    return dataclasses.replace(classes, class_names=tuple(renamed))


def _folder_wanted(name: str, lists: Mapping[str, list[str]]) -> str:
    names, sizes = _all(lists), [len(group) for group in lists.values()]
    inside = [place for place in _SOURCES[name].inside if place]
    below = f" (or in {' or '.join(f'{place}/' for place in inside)} below it)" if inside else ""
    return (
        f"a folder that holds one folder of images for each of the {len(names)} classes, "
        f"{names[0]}/, {names[1]}/ and so on{below}, or train/, val/ and test/ with {sizes[0]}, "
        f"{sizes[1]} and {sizes[2]} of them."
    )


def _archive_wanted(source: _Source) -> str:
    return f" Or {source.archive_wanted}" if source.archive_wanted else ""


def _all(lists: Mapping[str, list[str]]) -> list[str]:
    return [name for names in lists.values() for name in names]
