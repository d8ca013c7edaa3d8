"""Images by class from a folder."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tfmgaug.data import cache, decoding, image_groups, left_out, photos, splitting, workers
from tfmgaug.data import image_fit as fits
from tfmgaug.data.duplicates import warn_of_duplicates, with_duplicates
from tfmgaug.data.folders import (
    Folder,
    check_not_empty,
    check_overlap,
    listed,
    scan,
    subfolders,
)
from tfmgaug.data.image_classes import ImageClasses, Splits


def from_folder(
    path: str | os.PathLike,
    image_size: int | tuple[int, int] | None = None,
    *,
    channels: int | None = None,
    splits: Mapping[str, Sequence[str]] | None = None,
    fractions: Sequence[float] | None = None,
    seed: int = 0,
    skip_unreadable: bool = False,
    min_images: int | None = None,
    groups: str | image_groups.GroupOf | None = None,
    cache_dir: str | os.PathLike | None = None,
    name: str | None = None,
    keep_aspect_ratio: bool = False,
    image_fit: fits.ImageFit = "squash",
) -> Splits:
    """Reads an image folder: one folder for each class, or for each split one with such folders.

    With `train/`, `validation/` (or `val/`) and `test/`, each holding one folder for each class,
    the split is the folder's; `test/` may stand alone. Otherwise the folders are classes, which are
    split by `splits` or by `fractions` and `seed`. Images may lie deeper inside a class's folder.
    What Pillow can read by its name is read, and HEIC where the package pillow-heif is installed.
    A warning counts what is left out: other files, and hidden ones.

    Images are decoded once to uint8 and kept in the cache under their content and size. An image
    is turned upright as its EXIF data says, and laid over white where it is transparent; of
    several in a file the first is taken. If no image has colors there is 1 channel, otherwise
    there are 3. Pictures that have a twin in their class are counted, see `count_duplicates`; a
    warning says how many.

    Args:
        path: the folder.
        image_size: a side or `(height, width)` to resize to (antialiased, without keeping the
            aspect ratio). None keeps the size, which all images must then share.
        channels: 1 or 3 instead of what the images have.
        splits: class names for `"train"`, `"validation"` and `"test"`; other classes are left out,
            and not decoded.
        fractions: shares of the classes for training, validation and test, which sum to 1, of a
            folder that is not split; None takes 0.64, 0.16 and 0.2. `(0, 0, 1)` tests on all.
        seed: determines which classes go where.
        skip_unreadable: whether to leave out images that cannot be read, with a warning that
            counts them, instead of raising an error.
        min_images: leave out classes with fewer images that can be read, with a warning. The
            others are split as if these were there. None refuses classes without any.
        groups: which images belong together, such as photos of one thing, and stand on one side of
            an episode: `"folder"` for those in one folder below that of their class, or a function
            from the path of an image, relative to `path`, to its group (None: by itself).
        cache_dir: folder of the cache; None takes `TFMGAUG_CACHE` or `~/.cache/tfmgaug`.
        name: what reports call the set; None takes the folder's name.
        keep_aspect_ratio: shrink the images to fit into `image_size` instead of resizing them to
            it, for `Augment` to crop; each lies in the upper left corner, and `sizes` of the
            result says how large it is. One that fits stays as it is.
        image_fit: how an image becomes one of `image_size`: `"squash"` resizes all of it, without
            keeping the aspect ratio; `"center_crop"` resizes it to a shorter side 1.5 times that of
            the crop, the aspect ratio kept, and cuts out the center. A folder has no boxes for
            `"bounding_box"`.

    Returns:
        `Splits(train, validation, test)` of memory-mapped images; each one's `unreadable` lists
        the paths left out of its classes.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: the folder is empty or laid out otherwise, a class has no images, images
            cannot be read or differ in size without `image_size`, or the classes do not suffice.
        OSError: the cache cannot be written.

    Example:
    >>> train, validation, test = from_folder("flowers/", image_size=84)
    """
    image_size = decoding.check_image_size(image_size)
    photos.check(keep_aspect_ratio, image_size)
    fits.check(image_fit, image_size, keep_aspect_ratio)
    decoding.check_channels(channels)
    chosen = None if splits is None else _names_in(splits)
    folder = scan(pathlib.Path(path).expanduser(), chosen)
    split = _groups(folder, splits, fractions, seed)
    if folder.groups is None:
        check_overlap(dict(zip(Splits._fields, split)), folder.root, split_by_user=False)
    options: dict[str, Any] = {"min_images": min_images, "together": groups}
    options |= {"keep_aspect_ratio": keep_aspect_ratio, "image_fit": image_fit}
    images = read(folder, split, image_size, channels, skip_unreadable, cache_dir, name, **options)
    if not keep_aspect_ratio:  # what lies beside the photos would make them more alike
        warn_of_duplicates(images)
    return images


def read(
    folder: Folder,
    groups: Sequence[Sequence[str]],
    image_size: tuple[int, int] | None,
    channels: int | None,
    skip_unreadable: bool,
    cache_dir: str | os.PathLike | None,
    name: str | None,
    min_images: int | None = None,
    together: str | image_groups.GroupOf | None = None,
    keep_aspect_ratio: bool = False,
    image_fit: fits.ImageFit = "squash",
) -> Splits:
    """Decodes a folder that was scanned, or finds it in the cache, and splits it by class.

    Args:
        folder: from `scan`.
        groups: class names for training, validation and test.
        image_size: see `from_folder`, as are the others.
        channels: 1, 3 or None.
        skip_unreadable: whether to leave out images that cannot be read.
        cache_dir: folder of the cache.
        name: what reports call the set.
        min_images: of a class; None refuses classes without images.
        together: which images stand on one side of an episode, `groups` of `from_folder`.
        keep_aspect_ratio: whether images are shrunk to fit into `image_size`.
        image_fit: how an image becomes one of `image_size`; boxes of the folder are always cut out.

    Returns:
        `Splits(train, validation, test)`.

    Raises:
        ValueError: boxes are asked for, and the folder has none; and as `from_folder`.
    """
    fits.refuse_without_boxes(image_fit, folder.boxes is not None, repr(str(folder.root)))
    if min_images is None:
        check_not_empty(folder)
    content = cache.content_key(folder.root, folder.files, cache_dir)
    key = cache.make_key(
        *("folder", content, image_size, channels, *folder.key()),  # which holds the boxes
        *(("photos",) if keep_aspect_ratio else ()),
        *((image_fit,) if image_fit == "center_crop" else ()),
    )
    options = (skip_unreadable, keep_aspect_ratio, image_fit)
    images, details = cache.cached_images(
        key,
        lambda writer: _decode_all(folder, image_size, channels, *options, writer),
        cache_dir,
    )
    unreadable = left_out.all_unreadable(folder, details["unreadable"])
    small = left_out.small_classes(folder, details["counts"], min_images)
    left_out.report(folder, unreadable, skip_unreadable, small, min_images)
    title = folder.root.resolve().name if name is None else name
    files = left_out.readable(folder, details["unreadable"])
    offsets = np.concatenate([[0], np.cumsum([len(of_class) for of_class in files.values()])])
    numbers = None
    if together is not None:  # below train/ and so on, a class's folder is one deeper
        numbers = image_groups.of_files(files, together, depth=1 if folder.groups is None else 2)
    sizes = details.get("sizes")
    classes = ImageClasses(images, offsets, tuple(files), title, groups=numbers, sizes=sizes)
    if not keep_aspect_ratio:
        classes = with_duplicates(classes, key, cache_dir)
    chosen = [[name for name in group if name not in small] for group in groups]
    arranged = splitting.arrange(classes, chosen, cache_dir)
    return Splits(*(_with_unreadable(split, folder, unreadable) for split in arranged))


def _groups(
    folder: Folder,
    splits: Mapping[str, Sequence[str]] | None,
    fractions: Sequence[float] | None,
    seed: int,
) -> list[list[str]]:
    if folder.groups is not None:
        if splits is not None:
            raise ValueError(
                f"{str(folder.root)!r} is already split into train/, validation/ and test/. "
                "Expected `splits` to be None."
            )
        if fractions is not None:
            raise ValueError(
                f"{str(folder.root)!r} is already split into train/, validation/ and test/. "
                f"Expected `fractions` (--fractions) to be None. Received: {fractions}."
            )
        return [folder.groups[field] for field in Splits._fields]
    if splits is not None:
        return given_groups(folder, splits)
    fractions = splitting.FRACTIONS if fractions is None else fractions
    try:
        return splitting.draw_groups(list(folder.classes), fractions, seed)
    except ValueError as error:
        (inner, *more) = folder.classes
        nested = not more and subfolders(folder.root / inner)
        hint = f" Did you mean {str(folder.root / inner)!r}?" if nested else ""
        raise ValueError(f"In {str(folder.root)!r}: {error}{hint}") from error


def given_groups(folder: Folder, splits: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Checks that a folder holds the classes of a split.

    Args:
        folder: from `scan`.
        splits: class names for `"train"`, `"validation"` and `"test"`.

    Returns:
        The three lists of names.

    Raises:
        ValueError: other keys are given, a class is named twice, or has no folder.
    """
    if sorted(splits) != sorted(Splits._fields):
        raise ValueError(
            f"`splits` must name the classes of {Splits._fields}. Received keys: {sorted(splits)}."
        )
    groups = [list(splits[field]) for field in Splits._fields]
    names = [name for group in groups for name in group]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"`splits` must not name a class twice. Received: {listed(twice)}.")
    missing = [name for name in names if name not in folder.classes]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(names)} classes have no folder in {str(folder.root)!r}: "
            f"{listed(missing)}."
        )
    return groups


def _names_in(splits: Mapping[str, Sequence[str]]) -> set[str]:
    return {name for names in splits.values() for name in names}


def _decode_all(
    folder: Folder,
    image_size: tuple[int, int] | None,
    channels: int | None,
    skip_unreadable: bool,
    keep_aspect_ratio: bool,
    image_fit: fits.ImageFit,
    writer: cache.Writer,
) -> tuple[int, dict[str, Any]]:
    """Writes every image that can be read, class after class."""
    read_header = _attempt(folder, lambda file: decoding.read_header(folder.root / file))
    headers = list(workers.map_in_order(read_header, folder.files))
    readable = {f: h for f, h in zip(folder.files, headers) if not isinstance(h, _Failure)}
    if image_size is None:
        _check_same_size(folder, readable)
    if channels is None:
        channels = 1 if all(header.gray for header in readable.values()) else 3
    options = (image_size, channels, keep_aspect_ratio, image_fit)
    decoded = workers.map_in_order(
        _attempt(folder, lambda file: folder.decode(file, *options)), folder.files
    )
    rows_of: Any = writer
    if keep_aspect_ratio:
        rows_of = photos.Padded(writer, photos.held(image_size, readable.values()))
    rows, unreadable, counts = 0, [], []
    for files in folder.classes.values():
        start = rows
        for file, image in zip(files, decoded):
            if isinstance(image, _Failure):
                unreadable.append([file, image.reason])
            else:
                rows_of.write(rows, image)
                rows += 1
        counts.append(rows - start)
    left_out.refuse_unreadable(folder, left_out.all_unreadable(folder, unreadable), skip_unreadable)
    if not rows:
        raise ValueError(f"No image can be read in {str(folder.root)!r}.")
    details = {"counts": counts, "unreadable": unreadable}
    return rows, details | ({"sizes": rows_of.sizes} if keep_aspect_ratio else {})


class _Failure(NamedTuple):
    reason: str


def _attempt(folder: Folder, function: Any) -> Any:
    def attempt(file: str) -> Any:
        try:
            return function(file)
        except Exception as error:  # Pillow's decoders raise errors of every kind
            return _Failure(str(error).replace(str(folder.root / file), file) or repr(error))

    return attempt


def _check_same_size(folder: Folder, headers: dict[str, decoding.Header]) -> None:
    first: dict[tuple[int, int], str] = {}
    for file, header in headers.items():
        first.setdefault((header.height, header.width), file)
    if len(first) > 1:
        (size, file), (other, second) = list(first.items())[:2]
        raise ValueError(
            f"The images in {str(folder.root)!r} have {len(first)} sizes, e.g. {file!r} is "
            f"{size[0]} x {size[1]} and {second!r} is {other[0]} x {other[1]} (height x width). "
            "Pass image_size, e.g. image_size=84, to resize them."
        )


def _with_unreadable(
    split: ImageClasses, folder: Folder, unreadable: Sequence[Sequence[str]]
) -> ImageClasses:
    names = set(split.class_names)
    lost = tuple(str(folder.root / file) for name, file, _ in unreadable if name in names)
    return dataclasses.replace(split, unreadable=lost)
