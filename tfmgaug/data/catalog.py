"""Data sets by name, with their published splits."""

import dataclasses
import functools
import importlib.metadata
import os
import pathlib
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tfmgaug.data import cache, decoding, published, splitting
from tfmgaug.data.duplicates import with_duplicates
from tfmgaug.data.image_classes import ImageClasses, Splits
from tfmgaug.data.image_fit import ImageFit
from tfmgaug.data.image_folder import from_folder
from tfmgaug.data.image_groups import GroupOf
from tfmgaug.data.published import class_lists
from tfmgaug.data.tfds_source import from_tfds

_OMNIGLOT_SIZE = 28
_VALIDATION_ALPHABETS = 0.2  # share of the background alphabets


def load(
    name: str = "glyphs",
    *,
    data_dir: str | os.PathLike | None = None,
    image_size: int | tuple[int, int] | None = None,
    seed: int = 0,
    cache_dir: str | os.PathLike | None = None,
    skip_unreadable: bool = False,
    rotations: bool = False,
    split: str = "vinyals",
    download: bool = True,
    fractions: Sequence[float] | None = None,
    min_images: int | None = None,
    groups: str | GroupOf | None = None,
    keep_aspect_ratio: bool = False,
    image_fit: ImageFit = "squash",
) -> Splits:
    """Loads a named data set, split into training, validation and test classes.

    - `"glyphs"`: characters of many scripts, rendered from the fonts that matplotlib ships;
      28 x 28 x 1, split by script. Needs no download.
    - `"omniglot"`: 1623 handwritten characters, 20 drawings each, from TensorFlow Datasets;
      28 x 28 x 1. Unlike the original, ink is bright (255) on black (0).
    - `"cifar_fs"`, `"fc100"`: CIFAR-100 from TensorFlow Datasets, its training and test images
      together, 600 a class; 64/16/20 and 60/20/20 classes. 32 x 32 x 3. If `data_dir` holds one
      folder of images for each class, those are read instead.
    - `"cub"`: Caltech-UCSD Birds 200-2011, training and test images together; 100/50/50 classes.
      84 x 84 x 3. `data_dir` is the unpacked archive, any folder of the classes, or as above.
    - `"mini_imagenet"`: 64/16/20 classes of ImageNet, the lists of Ravi and Larochelle.
      84 x 84 x 3. The images can't be downloaded: `data_dir` holds one folder for each class,
      named by WordNet id, or train/, val/ and test/ of these; or images and the lists train.csv,
      val.csv and test.csv, which choose the published 600 of a class; or the usual pickles, of
      which only arrays and containers are read; or Parquet files. Or it is TensorFlow Datasets'
      folder with `imagenet2012`, prepared, or its two archives in `downloads/manual`; that has all
      training images of a class, some 1300. Other classes than published are refused.
    - `"tiered_imagenet"`: 351/97/160 classes of ImageNet, the lists of Ren et al., each with all
      its training images; otherwise as `"mini_imagenet"`.
    - `"vgg_flowers"`: Oxford Flowers 102, its three sets together; 71/15/16 classes, the lists of
      Learning to Balance (Lee et al.), which are Meta-Dataset's. 32 x 32 x 3. From TensorFlow
      Datasets, or one folder for each class, numbered and named: `001.pink primrose`.
    - `"aircraft"`: FGVC-Aircraft by variant, its three sets together; 70/15/15 classes, from the
      same source. 32 x 32 x 3. The images can't be downloaded: `data_dir` holds the official
      archive, unpacked, and planes are cut out by its boxes, as the source of the split does; or
      one folder for each class, whose images are taken whole.
    - `"cars"`: the training images of Stanford Cars, without their test images and uncropped unless
      `image_fit` is `"bounding_box"`, as in the cross-domain study of Tseng et al., whose 98/49/49
      classes these are. 84 x 84 x 3. From TensorFlow Datasets, or one folder for each class. In
      names of classes, `-` stands for `/`.
    - `"folder"`: the image folder `data_dir`, see `from_folder`.

    Args:
        name: one of the names above.
        data_dir: the image folder; or the folder of TensorFlow Datasets' prepared data sets, None
            for its default.
        image_size: a side or `(height, width)` to resize to; None keeps the size given above.
        seed: renders the glyphs; chooses the classes of a folder's split and the validation
            alphabets of Omniglot's background split. Published splits don't depend on it.
        cache_dir: folder of the cache; None takes `TFMGAUG_CACHE` or `~/.cache/tfmgaug`.
        skip_unreadable: whether to leave out a folder's unreadable images, with a warning that
            counts them, instead of raising an error.
        rotations: whether images turned by 90, 180 and 270 degrees are classes of their own, in
            all three sets. Papers on Omniglot differ in this: say which was used.
        split: of Omniglot. `"vinyals"` has 1028/172/423 characters. `"background"` tests on the 20
            alphabets of the evaluation set, and validates on a fifth of the 30 background
            alphabets, chosen by `seed`.
        download: whether TensorFlow Datasets may download what is not there.
        fractions: shares of a folder's classes for training, validation and test.
        min_images: leave out classes with fewer images, with a warning; None keeps them.
        groups: which images of a folder stand on one side of an episode, see `from_folder`.
        keep_aspect_ratio: shrink photos to fit into `image_size` instead of resizing them to it,
            for `Augment` to crop, see `from_folder`. Not for characters.
        image_fit: how an image becomes one of `image_size`: `"squash"` or `"center_crop"`, see
            `from_folder`; or `"bounding_box"` of cars and birds from TensorFlow Datasets, see
            `from_tfds`. Planes of the official archive are cut out in any case. Not for characters,
            nor for files that hold many images.

    Returns:
        `Splits(train, validation, test)`, each an `ImageClasses`.

    Raises:
        FileNotFoundError: `data_dir` does not hold the data, or the download failed; the message
            names the files to be placed by hand, where, and their checksums.
        ValueError: the name is unknown, an argument has no meaning for it, or the images don't fit.
        OSError: the cache cannot be written.

    Example:
    >>> train, validation, test = load("glyphs")
    """
    if name not in _LOADERS:
        raise ValueError(
            f"`name` must be one of {', '.join(sorted(_LOADERS))}. Received: {name!r}."
        )
    if split not in ("vinyals", "background"):
        raise ValueError(f"`split` must be 'vinyals' or 'background'. Received: {split!r}.")
    if split != "vinyals" and name != "omniglot":
        raise ValueError(
            f"`split` has a meaning for omniglot only. Received: {split!r} for {name}."
        )
    if keep_aspect_ratio and name in ("glyphs", "omniglot"):
        raise ValueError(
            f"`keep_aspect_ratio` has a meaning for photos, not for characters. Received: {name!r}."
        )
    if image_fit != "squash" and name in ("glyphs", "omniglot"):
        raise ValueError(
            f"`image_fit` has a meaning for photos, not for characters. Received: {image_fit!r} "
            f"for {name}."
        )
    if keep_aspect_ratio and rotations:
        raise ValueError(
            "Photos that keep their aspect ratio can't be turned before they are cropped. "
            "Received: `rotations` and `keep_aspect_ratio`. Give a sampler RotatedClasses instead."
        )
    of_folder = {"fractions": fractions, "groups": groups}
    chosen = [option for option, value in of_folder.items() if value is not None]
    if chosen and name != "folder":
        named = " and ".join(f"`{option}`" for option in chosen)
        flags = " and ".join(f"--{option}" for option in chosen)
        raise ValueError(
            f"{named} ({flags}) have a meaning for name='folder' only. Received: {name!r}."
        )
    options = _Options(
        *(data_dir, decoding.check_image_size(image_size), seed),
        *(cache_dir, skip_unreadable, split, download),  # type: ignore[arg-type]
        *(fractions, min_images, groups, keep_aspect_ratio, image_fit),  # type: ignore[arg-type]
    )
    splits = _LOADERS[name](options)
    if min_images is not None and name != "folder":
        splits = _without_small(splits, min_images)
    return Splits(*(s.with_rotations() for s in splits)) if rotations else splits


@dataclasses.dataclass(frozen=True)
class _Options:
    data_dir: str | os.PathLike | None
    image_size: tuple[int, int] | None
    seed: int
    cache_dir: str | os.PathLike | None
    skip_unreadable: bool
    split: str
    download: bool
    fractions: Sequence[float] | None
    min_images: int | None
    groups: str | GroupOf | None
    keep_aspect_ratio: bool
    image_fit: ImageFit


def _without_small(splits: Splits, min_images: int) -> Splits:
    kept = Splits(*(classes.with_enough(min_images - 1, 1) for classes in splits))
    number = sum(map(len, splits)) - sum(map(len, kept))
    if number:
        warnings.warn(
            f"Left out of {splits.train.name.split('/')[0]!r}: {number} of {sum(map(len, splits))} "
            f"classes with fewer than {min_images} images",
            stacklevel=3,
        )
    return kept


def _load_glyphs(options: _Options) -> Splits:
    from tfmgaug.data import glyphs  # matplotlib imports slowly

    if options.data_dir is not None:
        raise ValueError(
            f"glyphs have no files; `data_dir` must be None, not {options.data_dir!r}."
        )
    key = cache.make_key(
        *("glyphs", pathlib.Path(glyphs.__file__).read_text(), options.seed, options.image_size),
        *(importlib.metadata.version(package) for package in ("matplotlib", "numpy", "pillow")),
    )

    def build(writer: cache.Writer) -> tuple[int, dict[str, Any]]:
        images, names, scripts = glyphs.render_glyphs(options.seed)
        pixels = np.concatenate(images)
        if options.image_size is not None:
            pixels = decoding.resize(pixels, options.image_size)
        writer.write(0, pixels)
        counts = [len(array) for array in images]
        return len(pixels), {"counts": counts, "names": list(names), "scripts": list(scripts)}

    images, details = cache.cached_images(key, build, options.cache_dir)
    offsets = np.concatenate([[0], np.cumsum(details["counts"])])
    classes = ImageClasses(images, offsets, details["names"], "glyphs")
    classes = with_duplicates(classes, key, options.cache_dir)
    script_of = list(zip(details["names"], details["scripts"]))
    groups = [
        [name for name, script in script_of if script in scripts]
        for scripts in (glyphs.TRAIN_SCRIPTS, glyphs.VALIDATION_SCRIPTS, glyphs.TEST_SCRIPTS)
    ]
    return splitting.arrange(classes, groups, options.cache_dir)


def _load_omniglot(options: _Options) -> Splits:
    size = options.image_size or (_OMNIGLOT_SIZE, _OMNIGLOT_SIZE)
    classes = from_tfds(
        *("omniglot", "train+test", size),
        label_key=("alphabet", "alphabet_char_id"),
        channels=1,
        invert=True,
        data_dir=options.data_dir,
        download=options.download,
        cache_dir=options.cache_dir,
    )
    # Characters are numbered from 0 in the records, from 1 in the published lists.
    pairs = [name.rsplit("/", 1) for name in classes.class_names]
    names = [f"{alphabet}/character{int(number) + 1:02d}" for alphabet, number in pairs]
    classes = dataclasses.replace(classes, class_names=tuple(names))
    if options.split == "vinyals":
        groups = list(class_lists("omniglot_vinyals").values())
    else:
        groups = _background_groups(names, options.seed)
    return splitting.arrange(classes, groups, options.cache_dir)


def _background_groups(names: list[str], seed: int) -> list[list[str]]:
    alphabets = published.read_lists("omniglot_alphabets")
    fractions = (1 - _VALIDATION_ALPHABETS, _VALIDATION_ALPHABETS, 0)
    train, validation, _ = splitting.draw_groups(alphabets["background"], fractions, seed)
    return [
        [name for name in names if name.rsplit("/", 1)[0] in chosen]
        for chosen in (train, validation, alphabets["evaluation"])
    ]


def _load_published(name: str, options: _Options) -> Splits:
    return published.load(
        name,
        options.data_dir,
        options.image_size,
        options.cache_dir,
        options.skip_unreadable,
        options.download,
        options.keep_aspect_ratio,
        options.image_fit,
    )


def _load_folder(options: _Options) -> Splits:
    if options.data_dir is None:
        raise ValueError("folder needs `data_dir`, the folder of images. Received: None.")
    return from_folder(
        *(options.data_dir, options.image_size),
        fractions=options.fractions,
        seed=options.seed,
        skip_unreadable=options.skip_unreadable,
        min_images=options.min_images,
        groups=options.groups,
        cache_dir=options.cache_dir,
        keep_aspect_ratio=options.keep_aspect_ratio,
        image_fit=options.image_fit,
    )


_LOADERS: dict[str, Callable[[_Options], Splits]] = {
    "glyphs": _load_glyphs,
    "omniglot": _load_omniglot,
    "folder": _load_folder,
    **{name: functools.partial(_load_published, name) for name in published.NAMES},
}
