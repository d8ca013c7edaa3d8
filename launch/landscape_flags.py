"""The flags of the landscape paper: what is measured in training, and the baseline."""

from absl import flags

from launch.given_flags import GIVEN, read_with

BASELINE = "fine_tuning"
BATCH_SIZE = 64  # of the baseline, where --batch_size is not given
_MEASURED = ("landscape_tasks", "landscape_curvature", "landscape_seconds")
READ_WITH = {
    **dict.fromkeys(_MEASURED, read_with(landscape_every=GIVEN)),
    "coherence_tasks": read_with(coherence_patience=GIVEN),
    "batch_size": read_with(learner=(BASELINE,)),
    "strided": read_with(backbone=("conv4",)),
}


def define():
    """Defines the flags."""
    flags.DEFINE_integer(
        "landscape_every",
        None,
        "Epochs between measurements of the landscape on test tasks.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "landscape_tasks", None, "Tasks that it is measured on; 60 by default.", lower_bound=3
    )
    flags.DEFINE_boolean(
        "landscape_curvature", None, "Whether curvature is measured, which takes longest; yes."
    )
    flags.DEFINE_float(
        "landscape_seconds",
        None,
        "Measure no more when it has taken so long in all.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "coherence_patience",
        None,
        "Epochs without a higher coherence of gradients on validation tasks after which training "
        "stops; the weights of the highest are kept. No query labels are read.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "coherence_tasks", None, "Tasks that it is measured on; 60 by default.", lower_bound=2
    )
    flags.DEFINE_integer(
        "batch_size", None, "Images in a step of fine_tuning; 64 by default.", lower_bound=1
    )
    flags.DEFINE_boolean(
        "strided", False, "Conv-4 with strided convolutions in the place of pooling."
    )


def check(settings):
    """Refuses MGAug with the baseline, and a measurement that never comes.

    Args:
        settings: absl flags.

    Raises:
        ValueError: the flags ask for one of the two.
    """
    if settings.learner == BASELINE and settings.mask != "none":
        raise ValueError(
            f"--learner={BASELINE} trains on labeled images: it has no tasks in training that "
            f"MGAug could prune. Received: --mask={settings.mask} (pass --mask=none)."
        )
    if (settings.landscape_every or 0) > settings.epochs:
        raise ValueError(
            f"--landscape_every must be at most --epochs={settings.epochs}, or nothing is ever "
            f"measured. Received: --landscape_every={settings.landscape_every}."
        )
