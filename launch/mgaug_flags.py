"""The flags of meta-gradient augmentation."""

from absl import flags

from launch import number_flags
from launch.given_flags import read_with

MASKS = ("catfish", "parameter", "width")
READ_WITH = {
    **dict.fromkeys(
        ("mask_rates", "subnetworks", "mgaug_from_epoch", "resolutions"), read_with(mask=MASKS)
    ),
    "catfish_score": read_with(mask=("catfish",)),
}


def define():
    """Defines the flags."""
    flags.DEFINE_enum("mask", "catfish", [*MASKS, "none"], "MGAug's pruning.")
    number_flags.define("mask_rates", "Share pruned: one number, or low,high.", upper_bound=1)
    flags.DEFINE_enum(
        "catfish_score",
        "query_loss",
        ["query_loss", "meta_gradient"],
        "The catfish mask's score: the paper's, or the authors' code's.",
    )
    flags.DEFINE_integer("subnetworks", 3, "Pruned sub-networks per task.", lower_bound=1)
    flags.DEFINE_integer("mgaug_from_epoch", 0, "First epoch with MGAug.", lower_bound=0)
    number_flags.define(
        "resolutions", "Image sizes to draw from for sub-networks.", kind=int, lower_bound=1
    )


def check(settings):
    """Refuses MGAug that begins after training, and sizes that are drawn twice.

    Args:
        settings: absl flags.

    Raises:
        ValueError: the flags ask for one of the two.
    """
    if settings.mask != "none" and settings.mgaug_from_epoch >= settings.epochs:
        raise ValueError(
            f"--mgaug_from_epoch must be below --epochs={settings.epochs}, or MGAug never begins. "
            f"Received: --mgaug_from_epoch={settings.mgaug_from_epoch}."
        )
    if settings.train_resolutions and settings.resolutions:
        raise ValueError(
            "--train_resolutions draws sizes for whole tasks, --resolutions for sub-networks "
            "alone: choose one. Received: both."
        )
