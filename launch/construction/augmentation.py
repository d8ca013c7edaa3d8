"""Meta-gradient augmentation as flags describe it."""

from tfmgaug import MGAug, masks

MASKS = {
    "catfish": masks.CatfishMask,
    "parameter": masks.ParameterMask,
    "width": masks.WidthMask,
}


def build_augmentation(settings):
    """Builds the MGAug that the flags describe.

    Args:
        settings: absl flags.

    Returns:
        An `MGAug`, or None.

    Raises:
        ValueError: a flag is out of range.
    """
    if settings.mask == "none":
        return None
    options = {}
    if settings.mask_rates is not None:
        rates = [float(rate) for rate in settings.mask_rates]
        options["rates"] = rates[0] if len(rates) == 1 else rates
    elif settings.mask == "catfish" and settings.learner == "protonet":
        options["rates"] = (0.01, 0.03)  # the authors' rates for ProtoNet
    if settings.mask == "catfish":
        options["score"] = settings.catfish_score
    return MGAug(
        MASKS[settings.mask](**options),
        subnetworks=settings.subnetworks,
        start_step=settings.mgaug_from_epoch * settings.steps_per_epoch,
        resolutions=settings.resolutions and [int(size) for size in settings.resolutions],
    )
