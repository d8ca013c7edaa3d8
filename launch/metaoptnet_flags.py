"""What the flags of MetaOptNet stand for; other learners refuse them."""

from absl import flags

from launch.given_flags import arguments, given, refuse
from tfmgaug import heads

# With the flags of constructor arguments; None, their default, leaves the constructor's own.
HEADS = {
    "ridge": (heads.RidgeHead, {"regularization": "ridge_regularization"}),
    "svm": (heads.SVMHead, {"cost": "svm_cost", "diagonal": "svm_diagonal"}),
}
_FLAGS = ("head", "initial_scale", *(flag for _, own in HEADS.values() for flag in own.values()))


def define():
    """Defines the flags."""
    flags.DEFINE_enum("head", None, sorted(HEADS), "Of MetaOptNet; svm by default.")
    flags.DEFINE_float("svm_cost", None, "C of the SVM; 0.1 by default.")
    flags.DEFINE_float("svm_diagonal", None, "Added to the SVM's kernel; 1 by default.")
    flags.DEFINE_float("ridge_regularization", None, "Lambda of the ridge; 50 by default.")
    flags.DEFINE_float("initial_scale", None, "Of MetaOptNet's logits; 1 by default.")


def learner_options(settings):
    """Returns the arguments of the learner's constructor that other learners don't have.

    Args:
        settings: absl flags.

    Raises:
        ValueError: a flag is given that nothing reads.
    """
    found = sorted(given(settings, _FLAGS))
    if settings.learner != "metaoptnet":
        refuse(found, "--learner=metaoptnet", f"--learner={settings.learner}")
        return {}
    name = settings.head or "svm"
    kind, own = HEADS[name]
    read = ("head", "initial_scale", *own.values())
    refuse([flag for flag in found if flag not in read], "the other head", f"--head={name}")
    return {"head": kind(**arguments(settings, own)), **given(settings, ["initial_scale"])}
