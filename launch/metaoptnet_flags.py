"""The flags of MetaOptNet."""

from absl import flags

from launch.given_flags import read_with

# Heads by name, with the flags of constructor arguments; None, their default, leaves the
# constructor's own.
HEADS = {
    "ridge": {"regularization": "ridge_regularization"},
    "svm": {"cost": "svm_cost", "diagonal": "svm_diagonal"},
}
DEFAULT_HEAD = "svm"
_LEARNER = {"learner": ("metaoptnet",)}
READ_WITH = {
    "head": read_with(**_LEARNER),
    "initial_scale": read_with(**_LEARNER),
    "ridge_regularization": read_with(**_LEARNER, head=("ridge",)),
    "svm_cost": read_with(**_LEARNER, head=(None, "svm")),
    "svm_diagonal": read_with(**_LEARNER, head=(None, "svm")),
}


def define():
    """Defines the flags."""
    flags.DEFINE_enum("head", None, sorted(HEADS), "Of MetaOptNet; svm by default.")
    flags.DEFINE_float("svm_cost", None, "C of the SVM; 0.1 by default.")
    flags.DEFINE_float("svm_diagonal", None, "Added to the SVM's kernel; 1 by default.")
    flags.DEFINE_float("ridge_regularization", None, "Lambda of the ridge; 50 by default.")
    flags.DEFINE_float("initial_scale", None, "Of MetaOptNet's logits; 1 by default.")
