"""The objects that Meta-ticket's flags stand for."""

from launch.given_flags import given
from launch.meta_ticket_flags import ITERAND_FLAGS, LEARNERS, MASK_FLAGS
from tfmgaug.backbones import initializers
from tfmgaug.callbacks import IteRand, MaskSparsity
from tfmgaug.masks import ScoreMask

WEIGHT_INITIALIZERS = {
    "kaiming_normal": initializers.KaimingNormal,
    "kaiming_uniform": initializers.KaimingUniform,
    "positive_constant": initializers.PositiveConstant,
    "signed_constant": initializers.SignedConstant,
}


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.
    """
    if settings.learner not in LEARNERS:
        return {}
    options = {"score_mask": ScoreMask(**given(settings, MASK_FLAGS))}
    if settings.weight_initializer is not None:
        options["weight_initializer"] = WEIGHT_INITIALIZERS[settings.weight_initializer]()
    return options


def callbacks(settings):
    """Returns the callbacks that the flags ask for, and what logs a ticket's sparsity.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is out of range.
    """
    if settings.learner not in LEARNERS:
        return []
    if settings.iterand_every is None:
        return [MaskSparsity()]
    options = given(settings, ITERAND_FLAGS).items()
    options = {flag.removeprefix("iterand_"): value for flag, value in options}
    return [IteRand(**options), MaskSparsity()]
