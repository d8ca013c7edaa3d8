"""The images that flags name, split into training, validation and test classes."""

import dataclasses
import pathlib
import warnings

from launch import data_flags, loading, registry, ways
from launch.construction.building import constructor_of
from launch.signatures import read
from tfmgaug.data import folders, image_groups

_MARGIN = 1.15  # the papers on photos test on the center of images that are larger by this
# Sides of the largest photos, in sides of the crops: a photo of 4:3 has 1.9 times the crop's pixels
# on its short side, and the cache of 600 photos of 84 x 84 is 79 MB.
_PHOTO = 2.5


def load_photos(settings):
    """Loads the training images that the flags name, with their own aspect ratios.

    Args:
        settings: `launch.experiment.Experiment`.

    Returns:
        `ImageClasses` with `sizes`.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: the flags don't fit the data or each other.
    """
    if "keep_aspect_ratio" not in read(registry.DATA.rows[settings.data].constructor).arguments:
        raise ValueError(
            "--image_crop=photo needs a data set whose loader takes `keep_aspect_ratio`. Received: "
            f"--data={settings.data}."
        )
    size = int(_PHOTO * settings.image_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # `load` has told of the same files
        return load(settings, image_size=size, keep_aspect_ratio=True).train


def load(settings, fractions=None, **changes):
    """Loads the images that the flags name.

    Args:
        settings: `launch.experiment.Data`.
        fractions: of a folder's classes, instead of --fractions.
        **changes: further arguments of the loader, or others than those of the flags.

    Returns:
        `Splits`.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: the flags don't fit the data or each other.
    """
    data_flags.refuse_unloaded(settings)
    row = registry.DATA.rows[settings.data]
    splits = constructor_of(row.constructor)(**{**_arguments(settings, row, fractions), **changes})
    if settings.skip_small_classes:
        splits = _with_enough(settings, splits)
    if settings.train_classes is None:
        return splits
    if not settings.way <= settings.train_classes <= len(splits.train):
        raise ValueError(
            f"--train_classes must be from {settings.way} (--way) to {len(splits.train)}, the "
            f"classes of {splits.train.name}. Received: {settings.train_classes}."
        )
    return splits._replace(train=splits.train.take(settings.train_classes, settings.data_seed))


def _arguments(settings, row, fractions):
    """What a data set's loader is given: those of its arguments that flags or this module fill."""
    always = {
        "name": settings.data,
        "seed": settings.data_seed,
        "min_images": settings.shot + settings.query if settings.skip_small_classes else None,
    }
    made = {
        "image_size": _loaded_size(settings),
        "fractions": ways.fractions(settings) if fractions is None else fractions,
        "groups": _groups(settings),
    }
    taken = read(row.constructor).arguments
    return {
        **{name: value for name, value in always.items() if name in taken},
        **{name: made.get(name, getattr(settings, name)) for name in data_flags.of_loader(row)},
    }


def load_all(settings):
    """Loads an image folder whose classes are all test classes.

    Args:
        settings: `launch.experiment.Data`.

    Returns:
        `Splits`, the first two of them empty.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: the flags don't fit the data or each other.
    """
    splits = load(settings, fractions=(0, 0, 1))
    folder, number = splits.test.name.removesuffix("/test"), len(splits.test)
    test = dataclasses.replace(splits.test, name=f"{folder} (all {number} classes)")
    return splits._replace(test=test)


def is_foreign(settings, runs):
    """Whether images come from a folder that no run was trained on and that no flag splits.

    Args:
        settings: `launch.experiment.Data`.
        runs: paths of runs.

    Raises:
        ValueError: a run was trained on the same images, but split otherwise.
    """
    if settings.data == "folder" and folders.is_split(_path(settings.data_dir)):
        return False
    saved = [loading.saved_flags(run) for run in runs]
    trained_on = [flags and _are_the_same(settings, flags) for flags in saved]
    for run, flags, same in zip(runs, saved, trained_on):
        if same:
            _check_split(settings, run, flags)
    asked = settings.test_classes != "test" or settings.fractions is not None
    if settings.data != "folder" or asked:
        return False
    return bool(trained_on) and all(same is False for same in trained_on)


def _are_the_same(settings, saved):
    """Whether a run was trained on the images that the flags name, however they are split."""
    if settings.data != saved["data"] or settings.data != "folder":
        return settings.data == saved["data"]
    return _path(settings.data_dir) == _path(saved["data_dir"])


def _path(folder):
    return pathlib.Path(folder or "").expanduser().resolve()


def _check_split(settings, run, saved):
    """Refuses a split in which test classes may be those that a run was trained on."""
    names = {"folder": ["fractions", "data_seed"], "omniglot": ["split"]}.get(settings.data, [])
    if settings.data == "omniglot" and settings.split == "background":
        names = [*names, "data_seed"]
    other = [name for name in names if getattr(settings, name) != saved.get(name)]
    if other:
        flags = " ".join(f"--{name}={_text(saved.get(name))}" for name in other)
        raise ValueError(
            f"{run} was trained on these images with {flags}. With another split, test classes "
            "may be among those that it was trained on. Pass the same flags"
            f"{' (or leave out --fractions)' if saved.get('fractions', 0) is None else ''}."
        )


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, list) else value


def _loaded_size(settings):
    if not settings.test_crop:
        return settings.image_size
    return int(_MARGIN * settings.image_size)


def _groups(settings):
    if settings.groups in (None, "folder"):
        return settings.groups
    return image_groups.by_pattern(settings.groups)


def _with_enough(settings, splits):
    """Leaves out classes that can't fill an episode, be it for its groups or for training's."""
    kept = [classes.with_enough(settings.shot, settings.query) for classes in splits]
    if hasattr(settings, "train_query"):
        shot = settings.train_shot or settings.shot
        kept[0] = kept[0].with_enough(shot, settings.train_query)
    lost = sum(map(len, splits)) - sum(map(len, kept))
    if lost:
        warnings.warn(
            f"Left out {lost} more classes, whose groups or images are too few for an episode.",
            stacklevel=2,
        )
    return splits._make(kept)
