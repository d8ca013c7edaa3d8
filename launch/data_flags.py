"""The flags that name data and episodes, which training, evaluation and analysis share."""

from absl import flags

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
    """Defines the flags."""
    flags.DEFINE_enum("data", "glyphs", DATA, "Data set. glyphs needs no download.")
    flags.DEFINE_string("data_dir", None, "Image folder, or TensorFlow Datasets' folder.")
    flags.DEFINE_integer("image_size", None, "Height and width that images are resized to.")
    flags.DEFINE_enum("split", "vinyals", ["vinyals", "background"], "Which split of Omniglot.")
    flags.DEFINE_boolean("rotations", False, "Turned images are classes of their own.")
    flags.DEFINE_boolean("download", True, "Whether data may be downloaded.")
    flags.DEFINE_boolean("skip_unreadable", False, "Leave out images that can't be read.")
    flags.DEFINE_boolean(
        "skip_small_classes", False, "Leave out classes with fewer than shot + query images."
    )
    flags.DEFINE_list(
        "fractions",
        None,
        "Shares of a folder's classes for training, validation and test; 0.64,0.16,0.2 by default.",
    )
    flags.DEFINE_string(
        "groups",
        None,
        "Which images of a folder stand on one side of an episode: folder for those in one folder "
        "below that of their class, or a regular expression with one group in parentheses, which "
        "is looked for in the path of an image.",
    )
    flags.DEFINE_string("cache_dir", None, "Where decoded images are kept.")
    flags.DEFINE_integer("way", 5, "Classes in an episode.", lower_bound=2)
    flags.DEFINE_integer("shot", 1, "Labeled images of each class to adapt on.", lower_bound=1)
    flags.DEFINE_integer("query", 15, "Images of each class to predict.", lower_bound=1)
    flags.DEFINE_integer(
        "data_seed",
        0,
        "Of what runs to be compared must share: splits, validation and test episodes.",
        lower_bound=0,
    )
    flags.DEFINE_integer("test_episodes", 600, "Frozen test episodes.", lower_bound=2)
    flags.DEFINE_enum(
        "test_classes",
        "test",
        ["test", "validation", "train"],
        "Whose classes test episodes are of; train shows what was memorized. Of a folder that a "
        "run was not trained on, all classes are test classes.",
    )
    flags.DEFINE_boolean(
        "test_mutually_exclusive",
        True,
        "Shuffle labels in every test task. Otherwise a class keeps the label that "
        "--nomutually_exclusive gives it in training.",
    )
    flags.DEFINE_boolean(
        "test_crop",
        False,
        "As the papers on photos: load images at 1.15 x image_size; test on the center, and train "
        "on it too, or on crops of all with --augment_images.",
    )
    flags.DEFINE_integer(
        "train_classes", None, "Train on this many of the training classes.", lower_bound=2
    )


def check(settings):
    """Refuses crops of no size.

    Args:
        settings: absl flags.

    Raises:
        ValueError: --image_size is missing.
    """
    if settings.test_crop and settings.image_size is None:
        raise ValueError("--test_crop needs --image_size, the size of the crop. Received: none.")
