"""What the flags of Meta-ticket stand for; other learners refuse them."""

from absl import flags

from launch.given_flags import given, refuse
from tfmgaug.backbones import initializers
from tfmgaug.callbacks import IteRand, MaskSparsity
from tfmgaug.masks import ScoreMask

WEIGHT_INITIALIZERS = {
    "kaiming_normal": initializers.KaimingNormal,
    "kaiming_uniform": initializers.KaimingUniform,
    "positive_constant": initializers.PositiveConstant,
    "signed_constant": initializers.SignedConstant,
}
_LEARNERS = ("meta_ticket", "meta_ticket_boil")
_MASK_FLAGS = ("initial_sparsity", "score_threshold", "prune_classifier")
_ITERAND_FLAGS = ("iterand_every", "iterand_share")
# What stays as it was at the start: the threshold, or the sparsity.
_SPARSITIES = {"fixed": "drifting", "sparsity": "fixed"}


def define():
    """Defines the flags."""
    flags.DEFINE_float(
        "initial_sparsity", None, "Share that the score mask prunes at first; 0 by default."
    )
    flags.DEFINE_enum(
        "score_threshold",
        None,
        ["fixed", "sparsity"],
        "What stays: the threshold that scores are compared with (by default), or the sparsity.",
    )
    flags.DEFINE_boolean(
        "prune_classifier", None, "Whether the score mask prunes it too; no by default."
    )
    flags.DEFINE_enum(
        "weight_initializer",
        None,
        sorted(WEIGHT_INITIALIZERS),
        "Of Meta-ticket's random weights; kaiming_normal by default.",
    )
    flags.DEFINE_integer(
        "iterand_every", None, "IteRand: outer steps between redraws of pruned weights."
    )
    flags.DEFINE_float(
        "iterand_share", None, "Probability of a pruned weight to be redrawn; 1 by default."
    )


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is given that nothing reads.
    """
    if settings.learner not in _LEARNERS:
        found = given(settings, (*_MASK_FLAGS, "weight_initializer", *_ITERAND_FLAGS))
        owner = f"--learner={' and '.join(_LEARNERS)}"
        refuse(found, owner, f"--learner={settings.learner}")
        return {}
    mask = given(settings, _MASK_FLAGS)
    if "score_threshold" in mask:
        mask["sparsity"] = _SPARSITIES[mask.pop("score_threshold")]
    own = {"score_mask": ScoreMask(**mask)}
    if settings.weight_initializer is not None:
        own["weight_initializer"] = WEIGHT_INITIALIZERS[settings.weight_initializer]()
    return own


def callbacks(settings):
    """Returns the callbacks that the flags ask for, and what logs a ticket's sparsity.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is out of range, or given and read by nothing.
    """
    sparsity = [MaskSparsity()] if settings.learner in _LEARNERS else []
    if settings.iterand_every is None:
        if settings.iterand_share is not None:
            raise ValueError(
                "--iterand_share is read with --iterand_every, which switches IteRand on. "
                f"Received: --iterand_share={settings.iterand_share} alone."
            )
        return sparsity
    found = given(settings, _ITERAND_FLAGS)
    own = {flag.removeprefix("iterand_"): value for flag, value in found.items()}
    return [IteRand(**own), *sparsity]
