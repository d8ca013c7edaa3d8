"""Checks of the parts that a learner is built of: its backbone and its magnitude mask."""

from tfmgaug.augmentation.mgaug import MGAug
from tfmgaug.backbones import exactness, head, tracing
from tfmgaug.engine.params import select
from tfmgaug.masks.magnitude import MagnitudeMask
from tfmgaug.types import Learner


def check_backbone(learner: Learner) -> None:
    """Refuses a backbone that does what a learner can't use when it is called.

    Args:
        learner: `MetaLearner`, whose network and loss are set.

    Raises:
        ValueError: a layer keeps a state, is inexact at second order, or the outputs are no logits.
    """
    traced = tracing.trace(learner.backbone)
    tracing.refuse_states(traced)
    if learner.second_order:
        refuse_inexact(learner, traced)
    if learner.classification and learner.outputs_logits:
        head.check_logits(learner.backbone, traced)


def refuse_inexact(learner: Learner, traced: tracing.Trace | None = None) -> None:
    """Refuses a backbone whose second-order gradients would be wrong.

    Args:
        learner: `MetaLearner`.
        traced: of its backbone; None: it is traced.

    Raises:
        ValueError: they would; the error names the layers.
    """
    traced = tracing.trace(learner.backbone) if traced is None else traced
    adapting = select(learner.network.variables, learner.adapting)
    exactness.refuse_inexact(traced, list(adapting.values()))


def check_augmentation(augmentation: MGAug) -> None:
    """Refuses an augmentation that is none, such as a bare mask.

    Args:
        augmentation: `MGAug`.

    Raises:
        TypeError: it is something else.
    """
    if not isinstance(augmentation, MGAug):
        raise TypeError(
            "`augmentation` must be an MGAug, such as MGAug(CatfishMask(), subnetworks=3). "
            f"Received: {augmentation!r}."
        )


def attach_magnitude_mask(learner: Learner, mask: MagnitudeMask | None) -> None:
    """Lets a magnitude mask prune the weights of a learner in every forward pass.

    Args:
        learner: `MetaLearner`.
        mask: None: nothing is pruned.

    Raises:
        TypeError: it is no `MagnitudeMask`.
        ValueError: the learner learns no weights.
    """
    if mask is None:
        return
    if not isinstance(mask, MagnitudeMask):
        raise TypeError(f"`magnitude_mask` must be a MagnitudeMask. Received: {mask!r}.")
    if not learner.learns_weights:
        raise ValueError(
            "A MagnitudeMask prunes weights by what they have learned to be. Received: "
            f"{type(learner).__name__}, which learns no weights."
        )
    mask.attach(learner.network)
    learner.network.transforms.append(mask)
