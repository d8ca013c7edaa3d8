"""The flags of DSD and IHT, which prune a learner's weights by magnitude for a while."""

from absl import flags

from launch.given_flags import arguments
from tfmgaug.callbacks import DSD, IHT
from tfmgaug.masks import MagnitudeMask

SCHEDULES = ("dsd", "iht")
_FLAGS = ("rates", "dense", "sparse", "retrain", "rounds")
_NEEDED = {"dsd": ("rates", "dense", "sparse"), "iht": ("rates", "dense", "sparse", "retrain")}


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "pruning",
        "none",
        ["none", *SCHEDULES],
        "Network pruning of the weights that are learned: dense, sparse, dense; or in rounds.",
    )
    flags.DEFINE_list(
        "pruning_rates", None, "Share of each kernel pruned: one number, or one a kernel."
    )
    flags.DEFINE_integer("pruning_dense", None, "Outer steps before pruning.")
    flags.DEFINE_integer(
        "pruning_sparse", None, "Outer steps of the pruned network; in each round."
    )
    flags.DEFINE_integer(
        "pruning_retrain",
        None,
        "iht: outer steps of the dense network in each round. dsd: what is left. 0: never dense "
        "again, the final network is pruned.",
    )
    flags.DEFINE_integer("pruning_rounds", None, "Of iht; 4 by default.")


def learner_options(settings):
    """Returns the arguments of a learner's constructor: the magnitude mask.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is missing, out of range, or given and read by nothing.
    """
    given = _given(settings)
    if settings.pruning == "none":
        if given:
            raise ValueError(
                "These flags belong to --pruning=dsd and iht. "
                f"Received: --pruning_{', --pruning_'.join(given)} without."
            )
        return {}
    missing = [name for name in _NEEDED[settings.pruning] if name not in given]
    if missing:
        raise ValueError(
            f"--pruning={settings.pruning} needs --pruning_{', --pruning_'.join(missing)}. "
            "Received: none."
        )
    rates = [float(rate) for rate in settings.pruning_rates]
    return {"magnitude_mask": MagnitudeMask(rates[0] if len(rates) == 1 else rates)}


def callbacks(settings):
    """Returns the callbacks that the flags ask for.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is out of range, or given and read by nothing.
    """
    if settings.pruning == "none":
        return []
    given = _given(settings)
    del given["rates"]
    if settings.pruning == "iht":
        return [_within(settings, IHT(**given))]
    if "rounds" in given or given.get("retrain", 0) != 0:
        raise ValueError(
            "DSD has one round, and is dense for what is left of training: --pruning_retrain=0 "
            "alone, which keeps it sparse, has a meaning for --pruning=dsd. "
            f"Received: --pruning_retrain={settings.pruning_retrain} "
            f"--pruning_rounds={settings.pruning_rounds}."
        )
    return [_within(settings, DSD(given["dense"], given["sparse"], "retrain" not in given))]


def _within(settings, schedule):
    steps = settings.epochs * settings.steps_per_epoch
    if schedule.starts[-1] >= steps:
        raise ValueError(
            f"The last phase must begin before training ends, after {steps} outer steps. "
            f"Received: phases that begin at steps {schedule.starts}."
        )
    return schedule


def _given(settings):
    return arguments(settings, {name: f"pruning_{name}" for name in _FLAGS})
