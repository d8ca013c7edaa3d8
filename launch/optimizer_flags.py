"""The flags of the outer optimizer."""

from absl import flags

from launch import number_flags
from launch.given_flags import GIVEN, read_with

SCHEDULES = ("constant", "cosine", "linear", "steps")
OF_STEPS = ("schedule_epochs", "schedule_factors")
READ_WITH = {
    "momentum": read_with(optimizer=("sgd",)),
    "nesterov": read_with(optimizer=("sgd",), momentum=GIVEN),
    "weight_decay": read_with(optimizer=("sgd",)),
    "warmup_steps": read_with(schedule=("cosine",)),
    **dict.fromkeys(OF_STEPS, read_with(schedule=("steps",))),
}


def define():
    """Defines the flags."""
    flags.DEFINE_enum("optimizer", "adam", ["adam", "sgd"], "Of the outer loop.")
    flags.DEFINE_float("learning_rate", 2e-3, "The optimizer's.", lower_bound=0)
    flags.DEFINE_float("momentum", None, "Of sgd; 0 by default.", lower_bound=0)
    flags.DEFINE_boolean("nesterov", None, "Whether momentum is Nesterov's; no by default.")
    flags.DEFINE_float(
        "weight_decay",
        None,
        "Of sgd: the L2 penalty's gradient, this times the weight, is added to the gradient of "
        "everything learned; 0 by default.",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "clip_gradients",
        None,
        "Clip entries of the meta-gradient to plus and minus this; no by default.",
    )
    flags.DEFINE_enum(
        "schedule",
        "constant",
        SCHEDULES,
        "Of the learning rate: to 0 by cosine or linear, or in steps.",
    )
    number_flags.define(
        "schedule_epochs",
        "Of steps: epochs, counted from 1, from whose start on the learning rate is another.",
        kind=int,
        lower_bound=2,
    )
    number_flags.define(
        "schedule_factors", "Of steps: what it then is, each as a share of --learning_rate."
    )
    flags.DEFINE_integer(
        "warmup_steps",
        None,
        "Outer steps in which the learning rate rises, before it falls by cosine.",
        lower_bound=1,
    )


def check(settings):
    """Refuses schedules that don't fit training.

    Args:
        settings: absl flags.

    Raises:
        ValueError: they say why.
    """
    steps = settings.epochs * settings.steps_per_epoch
    if settings.schedule == "cosine" and (settings.warmup_steps or 0) >= steps:
        raise ValueError(
            "--warmup_steps must leave steps to decay in. "
            f"Received: --warmup_steps={settings.warmup_steps} of {steps} outer steps."
        )
    if settings.schedule == "steps":
        read_steps(settings)


def read_steps(settings):
    """Reads --schedule_epochs and --schedule_factors.

    Args:
        settings: absl flags.

    Returns:
        A list of ints and a list of floats.

    Raises:
        ValueError: they are none.
    """
    texts = [getattr(settings, name) or [] for name in OF_STEPS]
    try:
        epochs, factors = [int(text) for text in texts[0]], [float(text) for text in texts[1]]
        fits = 0 < len(epochs) == len(factors) and min(factors) >= 0
        # From the second epoch on, rising, and before training ends.
        fits = fits and epochs[0] > 1 and epochs[-1] <= settings.epochs
        fits = fits and epochs == sorted(set(epochs))
    except ValueError:
        fits = False
    if not fits:
        received = " ".join(f"--{name}={','.join(own)}" for name, own in zip(OF_STEPS, texts))
        raise ValueError(
            "--schedule=steps needs --schedule_epochs, rising from 2 to --epochs, and as many "
            f"--schedule_factors of at least 0. Received: {received} --epochs={settings.epochs}."
        )
    return epochs, factors
