"""The flags of DSD and IHT, which prune a learner's weights by magnitude for a while."""

from absl import flags

from launch import number_flags
from launch.given_flags import arguments, read_with

SCHEDULES = ("dsd", "iht")
FLAGS_OF = {name: f"pruning_{name}" for name in ("rates", "dense", "sparse", "retrain", "rounds")}
_NEEDED = {"dsd": ("rates", "dense", "sparse"), "iht": ("rates", "dense", "sparse", "retrain")}
READ_WITH = {
    **dict.fromkeys(FLAGS_OF.values(), read_with(pruning=SCHEDULES)),
    "pruning_rounds": read_with(pruning=("iht",)),
}


def define():
    """Defines the flags."""
    flags.DEFINE_enum(
        "pruning",
        "none",
        ["none", *SCHEDULES],
        "Network pruning of the weights that are learned: dense, sparse, dense; or in rounds.",
    )
    number_flags.define(
        "pruning_rates", "Share of each kernel pruned: one number, or one a kernel.", upper_bound=1
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


def check(settings):
    """Refuses phases that are missing, or that the schedule doesn't have.

    Args:
        settings: absl flags.

    Raises:
        ValueError: there are some.
    """
    if settings.pruning == "none":
        return
    options = arguments(settings, FLAGS_OF)
    missing = [name for name in _NEEDED[settings.pruning] if name not in options]
    if missing:
        raise ValueError(
            f"--pruning={settings.pruning} needs --pruning_{', --pruning_'.join(missing)}. "
            "Received: none."
        )
    if settings.pruning == "dsd" and options.get("retrain", 0) != 0:
        raise ValueError(
            "DSD is dense for what is left of training: --pruning_retrain=0 alone, which keeps it "
            "sparse, has a meaning for --pruning=dsd. "
            f"Received: --pruning_retrain={settings.pruning_retrain}."
        )
