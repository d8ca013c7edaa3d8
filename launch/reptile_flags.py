"""The flags of Reptile; other learners refuse them."""

from absl import flags

from launch.given_flags import given, refuse
from tfmgaug.engine.inner_optimizers import SGD, Adam

_OPTIMIZER = {"sgd": "inner_momentum", "adam": "inner_beta_1"}
_OPTIONS = ("inner_batch", "evaluation_batch", "inner_reduction", "carry_slots")
_FLAGS = ("inner_optimizer", *_OPTIMIZER.values(), *_OPTIONS)


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


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is given that nothing reads.
    """
    if settings.learner != "reptile":
        refuse(given(settings, _FLAGS), "--learner=reptile", f"--learner={settings.learner}")
        return {}
    if settings.learn_inner_rates != "no" or settings.recompute_inner_steps:
        raise ValueError(
            "Reptile does not differentiate its inner steps: --learn_inner_rates and "
            "--recompute_inner_steps have no meaning for it. Received: "
            f"--learn_inner_rates={settings.learn_inner_rates} "
            f"--recompute_inner_steps={settings.recompute_inner_steps}."
        )
    return {
        **given(settings, _OPTIONS),
        "evaluation_steps": settings.test_inner_steps,
        "inner_optimizer": _optimizer(settings),
    }


def _optimizer(settings):
    name = settings.inner_optimizer or "sgd"
    idle = next(flag for other, flag in _OPTIMIZER.items() if other != name)
    if getattr(settings, idle) is not None:
        raise ValueError(
            f"--{idle} is of another --inner_optimizer. "
            f"Received: --{idle}={getattr(settings, idle)} with --inner_optimizer={name}."
        )
    if name == "sgd":
        return SGD(settings.inner_momentum or 0.0)
    return Adam(settings.inner_beta_1 or 0.0)
