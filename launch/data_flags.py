"""The flags that name data and episodes, which training, evaluation and analysis share."""

from launch import constructor_flags
from launch.given_flags import read_with

DATA = (
    *("glyphs", "omniglot", "cifar_fs", "fc100", "mini_imagenet", "tiered_imagenet", "cub"),
    *("vgg_flowers", "aircraft", "cars", "folder", "sinusoids"),
)
IMAGES = tuple(name for name in DATA if name != "sinusoids")
_FILES = tuple(name for name in IMAGES if name != "glyphs")
_OF_IMAGES = (
    *("cache_dir", "image_size", "rotations", "test_classes", "test_crop"),
    *("skip_small_classes", "test_mutually_exclusive", "train_classes", "way"),
)
READ_WITH = {
    **dict.fromkeys(_OF_IMAGES, read_with(data=IMAGES)),
    "data_dir": read_with(data=_FILES),
    **dict.fromkeys(("fractions", "groups"), read_with(data=("folder",))),
    "download": read_with(data=tuple(n for n in _FILES if n not in ("aircraft", "folder"))),
    "skip_unreadable": read_with(data=tuple(n for n in _FILES if n != "omniglot")),
    "split": read_with(data=("omniglot",)),
}


def define():
    """Defines a flag for each field of `launch.experiment.Data`."""
    constructor_flags.define_fields("launch.experiment.Data", {"data": DATA})


def check(settings):
    """Refuses crops of no size.

    Args:
        settings: absl flags.

    Raises:
        ValueError: --image_size is missing.
    """
    if settings.test_crop and settings.image_size is None:
        raise ValueError("--test_crop needs --image_size, the size of the crop. Received: none.")
