"""The flags that name data and episodes, which training, evaluation and analysis share."""

import dataclasses

from launch import constructor_flags, registry
from launch.experiment import Data
from launch.given_flags import read_with, refuse_idle

_FIELDS = "launch.experiment.Data"
DATA = tuple(registry.DATA.rows)
IMAGES = registry.image_sets()
# Whatever loads the images, these are of episodes.
_OF_EPISODES = (
    *("skip_small_classes", "test_classes", "test_crop", "test_mutually_exclusive"),
    *("train_classes", "way"),
)
_BOXED = ("aircraft", "cars", "cub")  # --image_fit=bounding_box: some of their sources have boxes
OF_SINUSOIDS = ("train_amplitude", "train_phase", "test_amplitude", "test_phase")


# What every loader may take, and no field of this name fills.
_ALWAYS = ("min_images", "name", "seed")


def of_loader(row):
    """Returns the fields of `launch.experiment.Data` that a data set's loader takes.

    Args:
        row: `launch.rows.Row` of the data set.

    Raises:
        ValueError: it takes something else.
    """
    fields = {field.name for field in dataclasses.fields(Data)}
    taken = [name for name in constructor_flags.arguments(row) if name not in _ALWAYS]
    unknown = [name for name in taken if name not in fields]
    if unknown:
        raise ValueError(
            f"{row.constructor} loads a data set, and must take fields of launch.experiment.Data. "
            f"Received: {', '.join(unknown)}."
        )
    return taken


def _of_loaders():
    """What each flag that fills a loader's argument is read with: the data sets of such loaders."""
    table = {}
    for name in IMAGES:
        for field in of_loader(registry.DATA.rows[name]):
            table.setdefault(field, []).append(name)
    return {field: read_with(data=tuple(names)) for field, names in table.items()}


_LOADED = _of_loaders()
READ_WITH = {
    **dict.fromkeys(_OF_EPISODES, read_with(data=IMAGES)),
    **dict.fromkeys(OF_SINUSOIDS, read_with(data=("sinusoids",))),
    **_LOADED,
}


def define():
    """Defines a flag for each field of `launch.experiment.Data`."""
    constructor_flags.define_fields(_FIELDS, {"data": DATA})


def data(options):
    """Returns the `Data` that flags describe.

    Args:
        options: absl flags.
    """
    return Data(**constructor_flags.fields(_FIELDS, options))


def refuse_unloaded(settings):
    """Refuses what the loader of a data set would pass over.

    Args:
        settings: `launch.experiment.Data`.

    Raises:
        ValueError: the message names it, and the data sets that read it.
    """
    # Leave to download is no wish to: it may stand beside data that needs none.
    fields = [field for field in dataclasses.fields(Data) if field.name != "download"]
    changed = [f.name for f in fields if getattr(settings, f.name) != f.default]
    refuse_idle(settings, changed, _LOADED)


def for_data_set(settings, name):
    """Returns settings for one of several data sets, without what its loader doesn't read.

    Args:
        settings: `launch.experiment.Data`.
        name: of the data set.
    """
    read = of_loader(registry.DATA.rows[name])
    unread = [f for f in dataclasses.fields(Data) if f.name in _LOADED and f.name not in read]
    defaults = {field.name: field.default for field in unread}
    return dataclasses.replace(settings, data=name, **defaults)


def check(settings):
    """Refuses crops of no size, boxes where there are none, and ranges of sine curves that aren't.

    Args:
        settings: absl flags.

    Raises:
        ValueError: --image_size is missing, images have no boxes, or a range is not low,high.
    """
    if settings.test_crop and settings.image_size is None:
        raise ValueError("--test_crop needs --image_size, the size of the crop. Received: none.")
    if settings.image_fit == "bounding_box" and settings.data not in _BOXED:
        raise ValueError(
            f"--image_fit=bounding_box needs images with boxes: --data={', '.join(_BOXED)}. "
            f"Received: --data={settings.data}."
        )
    whole = settings.data == "folder" and settings.image_size is None  # others have their own size
    if settings.image_fit == "center_crop" and whole:
        raise ValueError(
            "--image_fit=center_crop needs --image_size, the size of the crop. Received: none."
        )
    for name in OF_SINUSOIDS:
        bounds = [float(text) for text in getattr(settings, name) or ["0"]]
        if len(bounds) > 2 or bounds != sorted(bounds):
            raise ValueError(
                f"--{name} must be one number, or a range low,high with low <= high. "
                f"Received: {','.join(getattr(settings, name))}."
            )
