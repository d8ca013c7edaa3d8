"""The objects that Reptile's flags stand for."""

from launch.given_flags import given
from launch.reptile_flags import OPTIONS
from tfmgaug.engine.inner_optimizers import SGD, Adam


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.
    """
    if settings.learner != "reptile":
        return {}
    return {
        **given(settings, OPTIONS),
        "evaluation_steps": settings.test_inner_steps,
        "inner_optimizer": _optimizer(settings),
    }


def _optimizer(settings):
    if settings.inner_optimizer == "adam":
        return Adam(settings.inner_beta_1 or 0.0)
    return SGD(settings.inner_momentum or 0.0)
