"""The objects that MetaOptNet's flags stand for."""

from launch.given_flags import arguments, given
from launch.metaoptnet_flags import DEFAULT_HEAD
from launch.metaoptnet_flags import HEADS as FLAGS_OF
from tfmgaug import heads

HEADS = {"ridge": heads.RidgeHead, "svm": heads.SVMHead}


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.
    """
    if settings.learner != "metaoptnet":
        return {}
    name = settings.head or DEFAULT_HEAD
    head = HEADS[name](**arguments(settings, FLAGS_OF[name]))
    return {"head": head, **given(settings, ["initial_scale"])}
