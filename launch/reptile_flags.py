"""The flags of Reptile."""

from absl import flags

from launch.given_flags import read_with

OPTIONS = ("inner_batch", "evaluation_batch", "inner_reduction", "carry_slots")
_LEARNER = {"learner": ("reptile",)}
READ_WITH = {
    **dict.fromkeys((*OPTIONS, "inner_optimizer"), read_with(**_LEARNER)),
    "inner_momentum": read_with(**_LEARNER, inner_optimizer=(None, "sgd")),
    "inner_beta_1": read_with(**_LEARNER, inner_optimizer=("adam",)),
}


def define():
    """Defines the flags."""
    flags.DEFINE_enum("inner_optimizer", None, ["adam", "sgd"], "Reptile's; sgd by default.")
    flags.DEFINE_float("inner_momentum", None, "Of the inner sgd; 0 by default.")
    flags.DEFINE_float("inner_beta_1", None, "Of the inner adam; 0 by default, as the authors'.")
    flags.DEFINE_integer(
        "inner_batch", None, "Examples in one of Reptile's inner steps; all by default."
    )
    flags.DEFINE_integer(
        "evaluation_batch",
        None,
        "Examples in one of Reptile's inner steps in tests; --inner_batch by default.",
    )
    flags.DEFINE_enum(
        "inner_reduction",
        None,
        ["mean", "sum"],
        "Of the loss over examples in Reptile's inner steps: mean by default; the authors sum.",
    )
    flags.DEFINE_boolean(
        "carry_slots",
        None,
        "Whether the inner optimizer's slots go on from task to task; no by default.",
    )


def check(settings):
    """Refuses slots that are carried where there are none.

    Args:
        settings: absl flags.

    Raises:
        ValueError: the inner optimizer is plain gradient descent.
    """
    plain = settings.inner_optimizer != "adam" and not settings.inner_momentum
    if settings.learner == "reptile" and settings.carry_slots and plain:
        raise ValueError(
            "--carry_slots carries what an inner optimizer remembers: it needs "
            "--inner_optimizer=adam or --inner_momentum. Received: --carry_slots with plain "
            "gradient descent."
        )
