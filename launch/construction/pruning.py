"""The magnitude mask and the schedule of DSD and IHT."""

from launch.given_flags import arguments
from launch.pruning_flags import FLAGS_OF
from tfmgaug.callbacks import DSD, IHT
from tfmgaug.masks import MagnitudeMask


def learner_options(settings):
    """Returns the arguments of a learner's constructor: the magnitude mask.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a rate is out of range.
    """
    if settings.pruning == "none":
        return {}
    rates = [float(rate) for rate in settings.pruning_rates]
    return {"magnitude_mask": MagnitudeMask(rates[0] if len(rates) == 1 else rates)}


def callbacks(settings):
    """Returns the callbacks that the flags ask for.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is out of range.
    """
    if settings.pruning == "none":
        return []
    options = arguments(settings, FLAGS_OF)
    del options["rates"]
    if settings.pruning == "iht":
        return [_within(settings, IHT(**options))]
    return [_within(settings, DSD(options["dense"], options["sparse"], "retrain" not in options))]


def _within(settings, schedule):
    steps = settings.epochs * settings.steps_per_epoch
    if schedule.starts[-1] >= steps:
        raise ValueError(
            f"The last phase must begin before training ends, after {steps} outer steps. "
            f"Received: phases that begin at steps {schedule.starts}."
        )
    return schedule
