"""The flags of a training run, and the only table from names to classes."""

from absl import flags

from tfmgaug import learners, masks

LEARNERS = {
    "anil": learners.ANIL,
    "boil": learners.BOIL,
    "fomaml": learners.FOMAML,
    "maml": learners.MAML,
    "protonet": learners.ProtoNet,
}
MASKS = {
    "catfish": masks.CatfishMask,
    "parameter": masks.ParameterMask,
    "width": masks.WidthMask,
}
DATA = ("glyphs", "omniglot", "cifar_fs", "fc100", "folder", "sinusoids")

# What a run can be resumed with although it was started with something else.
_FREE_ON_RESUME = ("cache_dir", "overwrite", "parallel_tasks", "resume", "run_dir")


def define():
    """Defines the flags of `launch.train`."""
    _define_data()
    _define_learner()
    _define_mgaug()
    _define_training()


def define_data():
    """Defines the flags that name data and episodes, which evaluation shares."""
    _define_data()


def names():
    """Returns the names of the flags that `define` defined."""
    return sorted(flag.name for flag in flags.FLAGS.flags_by_module_dict()[__name__])


def as_dictionary():
    """Returns the settings as a dictionary that JSON can hold."""
    return {name: flags.FLAGS[name].value for name in names()}


def differences(saved):
    """Compares the flags with those of a run that is resumed.

    Args:
        saved: dictionary, from `as_dictionary` of the earlier run.

    Returns:
        Lines of text, one for each flag that must not differ but does.
    """
    now = as_dictionary()
    return [
        f"--{name}={now.get(name)} (the run was started with {saved.get(name)})"
        for name in sorted(set(saved) | set(now))
        if name not in _FREE_ON_RESUME and now.get(name) != saved.get(name)
    ]


def _define_data():
    flags.DEFINE_enum("data", "glyphs", DATA, "Data set. glyphs needs no download.")
    flags.DEFINE_string("data_dir", None, "Image folder, or TensorFlow Datasets' folder.")
    flags.DEFINE_integer("image_size", None, "Height and width that images are resized to.")
    flags.DEFINE_enum("split", "vinyals", ["vinyals", "background"], "Which split of Omniglot.")
    flags.DEFINE_boolean("rotations", False, "Turned images are classes of their own.")
    flags.DEFINE_boolean("download", True, "Whether data may be downloaded.")
    flags.DEFINE_boolean("skip_unreadable", False, "Leave out images that can't be read.")
    flags.DEFINE_string("cache_dir", None, "Where decoded images are kept.")
    flags.DEFINE_integer("way", 5, "Classes in an episode.", lower_bound=2)
    flags.DEFINE_integer("shot", 1, "Labeled images of each class to adapt on.", lower_bound=1)
    flags.DEFINE_integer("query", 15, "Images of each class to predict.", lower_bound=1)
    flags.DEFINE_integer(
        "data_seed",
        0,
        "Of what runs to be compared must share: splits, validation and test episodes.",
        lower_bound=0,
    )
    flags.DEFINE_integer("test_episodes", 600, "Frozen test episodes.", lower_bound=2)


def _define_learner():
    flags.DEFINE_enum("learner", "fomaml", sorted(LEARNERS), "How tasks are learned.")
    flags.DEFINE_enum("backbone", "conv4", ["conv4", "mlp"], "The network.")
    flags.DEFINE_integer("filters", 16, "Channels of each Conv-4 block.", lower_bound=1)
    flags.DEFINE_multi_integer("hidden", [256, 128, 64, 64], "Sizes of the MLP's hidden layers.")
    flags.DEFINE_integer("inner_steps", 5, "Gradient steps per task.", lower_bound=1)
    flags.DEFINE_float("inner_learning_rate", 0.1, "Their size.", lower_bound=0)
    flags.DEFINE_enum(
        "learn_inner_rates", "no", ["no", "layer", "parameter"], "Meta-learn their size."
    )
    flags.DEFINE_enum("distance", "euclidean", ["euclidean", "cosine"], "ProtoNet's distance.")
    flags.DEFINE_enum(
        "statistics",
        "transductive",
        ["transductive", "support", "running"],
        "What normalizes queries in training: their own batch (the papers), the support set, or "
        "running averages.",
    )


def _define_mgaug():
    flags.DEFINE_enum("mask", "catfish", [*sorted(MASKS), "none"], "MGAug's pruning.")
    flags.DEFINE_list("mask_rates", None, "Share pruned: one number, or low,high.")
    flags.DEFINE_enum(
        "catfish_score",
        "query_loss",
        ["query_loss", "meta_gradient"],
        "The catfish mask's score: the paper's, or the authors' code's.",
    )
    flags.DEFINE_integer("subnetworks", 3, "Pruned sub-networks per task.", lower_bound=1)
    flags.DEFINE_integer("mgaug_from_epoch", 0, "First epoch with MGAug.", lower_bound=0)
    flags.DEFINE_list("resolutions", None, "Image sizes to draw from for sub-networks.")


def _define_training():
    flags.DEFINE_integer("seed", 0, "Of the weights, training episodes and pruning.", lower_bound=0)
    flags.DEFINE_string("run_dir", None, "Where to write; runs/<data>-<learner>-... by default.")
    flags.DEFINE_boolean("overwrite", False, "Replace an earlier run in run_dir.")
    flags.DEFINE_boolean("resume", False, "Go on with the run in run_dir, if there is one.")
    flags.DEFINE_integer("epochs", 8, "Epochs.", lower_bound=1)
    flags.DEFINE_integer("steps_per_epoch", 30, "Outer steps in an epoch.", lower_bound=1)
    flags.DEFINE_integer("tasks", 4, "Tasks in an outer step.", lower_bound=1)
    flags.DEFINE_integer(
        "train_way", None, "Classes in a training episode, if not --way (ProtoNet).", lower_bound=2
    )
    flags.DEFINE_integer(
        "train_query", 5, "Queries of each class in a training episode.", lower_bound=1
    )
    flags.DEFINE_float("learning_rate", 2e-3, "Adam's, of the outer loop.", lower_bound=0)
    flags.DEFINE_enum("schedule", "constant", ["constant", "cosine"], "Of the learning rate.")
    flags.DEFINE_boolean("mutually_exclusive", True, "Shuffle labels in every training task.")
    flags.DEFINE_boolean("augment_images", False, "Aug: crop, jitter and flip training images.")
    flags.DEFINE_integer("validation_episodes", 40, "After each epoch.", lower_bound=2)
    flags.DEFINE_enum("distribute", "auto", ["auto", "none", "mirrored"], "Over which devices.")
    flags.DEFINE_enum("precision", "float32", ["float32", "mixed_bfloat16"], "Of the backbone.")
    flags.DEFINE_integer("parallel_tasks", 4, "Tasks computed side by side.", lower_bound=1)
    flags.DEFINE_integer(
        "threads",
        0,
        "CPU threads that share an operation; 0: one if there is a task for every core.",
        lower_bound=0,
    )
    flags.DEFINE_boolean("fused", True, "Compile Conv-4's normalization and pooling into one.")
    flags.DEFINE_boolean(
        "recompute_inner_steps",
        False,
        "Run inner steps again when they are differentiated: less memory at second order.",
    )
