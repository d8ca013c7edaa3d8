"""The flags of CAVIA."""

from absl import flags

from launch import number_flags
from launch.given_flags import read_with

BACKBONES = ("conv4", "mlp")  # that a context goes into
_CAVIA = {"learner": ("cavia",)}
READ_WITH = {
    "context": read_with(**_CAVIA),
    "context_blocks": read_with(**_CAVIA, backbone=("conv4",)),
    "clip_task_gradients": read_with(**_CAVIA),
}


def define():
    """Defines the flags."""
    flags.DEFINE_integer(
        "context", None, "Entries of CAVIA's context; 100 for Conv-4 and 5 for the MLP by default."
    )
    number_flags.define(
        "context_blocks",
        "Blocks of Conv-4 that it scales and shifts; 3 by default.",
        kind=int,
        lower_bound=1,
    )
    flags.DEFINE_float(
        "clip_task_gradients",
        None,
        "Clip entries of each task's gradient to plus and minus this; no by default.",
    )


def check(settings):
    """Refuses a backbone that takes no context.

    Args:
        settings: absl flags.

    Raises:
        ValueError: it is one.
    """
    if settings.learner == "cavia" and settings.backbone not in BACKBONES:
        raise ValueError(
            f"CAVIA's context goes into --backbone={' or '.join(BACKBONES)}. "
            f"Received: --backbone={settings.backbone}."
        )
