"""The flags of Meta-ticket."""

from absl import flags

from launch.given_flags import GIVEN, read_with

WEIGHT_INITIALIZERS = ("kaiming_normal", "kaiming_uniform", "positive_constant", "signed_constant")
LEARNERS = ("meta_ticket", "meta_ticket_boil")
MASK_FLAGS = ("initial_sparsity", "sparsity", "prune_classifier")
ITERAND_FLAGS = ("iterand_every", "iterand_share")
_LEARNER = {"learner": LEARNERS}
READ_WITH = {
    **dict.fromkeys((*MASK_FLAGS, "weight_initializer", "iterand_every"), read_with(**_LEARNER)),
    "iterand_share": read_with(**_LEARNER, iterand_every=GIVEN),
}


def define():
    """Defines the flags."""
    flags.DEFINE_float(
        "initial_sparsity", None, "Share that the score mask prunes at first; 0 by default."
    )
    flags.DEFINE_enum(
        "sparsity",
        None,
        ["drifting", "fixed"],
        "Whether the share that the score mask prunes drifts as scores are learned, against "
        "thresholds that stay (by default), or is fixed at --initial_sparsity.",
    )
    flags.DEFINE_boolean(
        "prune_classifier", None, "Whether the score mask prunes it too; no by default."
    )
    flags.DEFINE_enum(
        "weight_initializer",
        None,
        WEIGHT_INITIALIZERS,
        "Of Meta-ticket's random weights; kaiming_normal by default.",
    )
    flags.DEFINE_integer(
        "iterand_every", None, "IteRand: outer steps between redraws of pruned weights."
    )
    flags.DEFINE_float(
        "iterand_share", None, "Probability of a pruned weight to be redrawn; 1 by default."
    )


def check(settings):
    """Refuses a redraw that never comes.

    Args:
        settings: absl flags.

    Raises:
        ValueError: training ends before.
    """
    steps = settings.epochs * settings.steps_per_epoch
    if settings.iterand_every is not None and settings.iterand_every > steps:
        raise ValueError(
            f"--iterand_every must be at most the {steps} outer steps of training. "
            f"Received: --iterand_every={settings.iterand_every}."
        )
