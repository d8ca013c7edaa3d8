"""What the flags of MetaOptNet stand for; other learners refuse them."""

from absl import flags

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
    given = {flag for flag in _FLAGS if getattr(settings, flag) is not None}
    if settings.learner != "metaoptnet":
        _refuse(given, "--learner=metaoptnet", f"--learner={settings.learner}")
        return {}
    name = settings.head or "svm"
    kind, arguments = HEADS[name]
    read = {"head", "initial_scale", *arguments.values()}
    _refuse(given - read, "the other head", f"--head={name}")
    own = {argument: getattr(settings, flag) for argument, flag in arguments.items()}
    options = {"head": kind(**{n: value for n, value in own.items() if value is not None})}
    if settings.initial_scale is not None:
        options["initial_scale"] = settings.initial_scale
    return options


def _refuse(given, owner, received):
    if given:
        names = ", ".join(f"--{flag}" for flag in sorted(given))
        raise ValueError(f"These flags belong to {owner}. Received: {names} with {received}.")
