"""The flags of a training run, of all families, and the tables from their names to classes."""

from absl import flags

from launch import (
    cavia_flags,
    data_flags,
    landscape_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    optimization,
    pruning_flags,
    regularizer_flags,
    reptile_flags,
)
from tfmgaug import batch_statistics, learners, masks

LEARNERS = {
    "anil": learners.ANIL,
    "boil": learners.BOIL,
    "cavia": learners.CAVIA,
    "fine_tuning": learners.FineTuning,
    "fomaml": learners.FOMAML,
    "maml": learners.MAML,
    "meta_ticket": learners.MetaTicket,
    "meta_ticket_boil": learners.MetaTicketBOIL,
    "metaoptnet": learners.MetaOptNet,
    "protonet": learners.ProtoNet,
    "reptile": learners.Reptile,
}
MASKS = {
    "catfish": masks.CatfishMask,
    "parameter": masks.ParameterMask,
    "width": masks.WidthMask,
}
BACKBONES = ("conv4", "mlp", "resnet10", "resnet12", "resnet18", "wide_resnet")
# The flags that one backbone alone has; None, their default, leaves the constructor's own.
BACKBONE_FLAGS = {
    "mlp": ("width_factor",),
    "resnet12": ("block_filters", "global_pooling"),
    "wide_resnet": ("depth", "widen"),
}

# Flags that a file of their own defines.
_FAMILIES = (
    data_flags,
    cavia_flags,
    landscape_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    optimization,
    pruning_flags,
    regularizer_flags,
    reptile_flags,
)
# What a run can be resumed with although it was started with something else.
_FREE_ON_RESUME = ("cache_dir", "overwrite", "parallel_tasks", "resume", "run_dir")


def define():
    """Defines the flags of `launch.train`."""
    _define_learner()
    for family in _FAMILIES:
        family.define()
        flags.adopt_module_key_flags(family)
    _define_mgaug()
    _define_training()


def names():
    """Returns the names of the flags that `define` defined."""
    defined = flags.FLAGS.flags_by_module_dict()
    modules = (__name__, *(family.__name__ for family in _FAMILIES))
    return sorted(flag.name for module in modules for flag in defined.get(module, ()))


def as_dictionary():
    """Returns the settings as a dictionary that JSON can hold, all defaults filled in."""
    found = {name: flags.FLAGS[name].value for name in names()}
    return {**found, "filters": filters(flags.FLAGS)} if "filters" in found else found


def filters(settings):
    """Returns the channels that --filters stands for.

    Args:
        settings: absl flags.

    Returns:
        An int, of each Conv-4 block, of a ResNet's first group or of a wide ResNet's stem.
    """
    if settings.filters is not None:
        return settings.filters
    if settings.block_filters:
        return int(settings.block_filters[0])
    return 64 if settings.backbone.startswith("resnet") else 16


def resnet12_filters(settings):
    """Returns the channels of ResNet-12's blocks that --block_filters or --filters stand for.

    Args:
        settings: absl flags.

    Returns:
        A tuple of ints.
    """
    if settings.block_filters:
        return tuple(int(channels) for channels in settings.block_filters)
    first = filters(settings)
    return first, 5 * first // 2, 5 * first, 10 * first


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


def _define_learner():
    flags.DEFINE_enum("learner", "fomaml", sorted(LEARNERS), "How tasks are learned.")
    flags.DEFINE_enum("backbone", "conv4", BACKBONES, "The network.")
    flags.DEFINE_integer(
        "filters",
        None,
        "Channels of each Conv-4 block (16 by default); of a ResNet's first group (64 by default), "
        "which every further group doubles and ResNet-12 multiplies by 2.5, 5 and 10; or of a wide "
        "ResNet's stem (16 by default).",
        lower_bound=1,
    )
    flags.DEFINE_list(
        "block_filters",
        None,
        "Channels of ResNet-12's blocks, if not by --filters: Meta-ticket's code has "
        "64,128,256,512.",
    )
    flags.DEFINE_boolean(
        "global_pooling",
        None,
        "Whether ResNet-12 averages over positions before its head; yes by default, but for "
        "MetaOptNet.",
    )
    flags.DEFINE_integer("depth", None, "Of a wide ResNet, 6 n + 4; 28 by default.")
    flags.DEFINE_integer("widen", None, "Factor on a wide ResNet's channels; 10 by default.")
    flags.DEFINE_multi_integer("hidden", [256, 128, 64, 64], "Sizes of the MLP's hidden layers.")
    flags.DEFINE_float("width_factor", None, "Factor on all of --hidden; 1 by default.")
    flags.DEFINE_integer("inner_steps", 5, "Gradient steps per task.", lower_bound=1)
    flags.DEFINE_integer(
        "test_inner_steps",
        None,
        "Gradient steps per task in the final test and in what is saved, and with Reptile in "
        "validation too, if not --inner_steps.",
        lower_bound=1,
    )
    flags.DEFINE_float("inner_learning_rate", 0.1, "Their size.", lower_bound=0)
    flags.DEFINE_enum(
        "learn_inner_rates", "no", ["no", "layer", "parameter"], "Meta-learn their size."
    )
    flags.DEFINE_enum("distance", "euclidean", ["euclidean", "cosine"], "ProtoNet's distance.")
    flags.DEFINE_enum(
        "statistics",
        "transductive",
        batch_statistics.MODES,
        "What normalizes queries in training: their own batch (the papers), the support set, or "
        "running averages. one_by_one is of tests: the support set and one query.",
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
        "train_way",
        None,
        "Classes in a training episode, if not --way (ProtoNet, MetaOptNet).",
        lower_bound=2,
    )
    flags.DEFINE_integer(
        "train_shot", None, "Shots of a training episode, if not --shot.", lower_bound=1
    )
    flags.DEFINE_integer(
        "train_query", 5, "Queries of each class in a training episode.", lower_bound=1
    )
    flags.DEFINE_boolean("mutually_exclusive", True, "Shuffle labels in every training task.")
    flags.DEFINE_boolean("augment_images", False, "Aug: crop, jitter and flip training images.")
    flags.DEFINE_list(
        "train_resolutions",
        None,
        "Random scaling: image sizes, one of which is drawn for each step's training tasks.",
    )
    flags.DEFINE_enum(
        "task_augmentation",
        "none",
        ["none", "rotate"],
        "TaskAug: rotated training images are new training classes.",
    )
    flags.DEFINE_float(
        "rotation_probability",
        None,
        "Of a new class in TaskAug; 0.75 by default.",
        lower_bound=0,
        upper_bound=1,
    )
    flags.DEFINE_integer(
        "rotation_ramp", None, "Episodes over which it rises from 0; 0 by default.", lower_bound=0
    )
    flags.DEFINE_integer("validation_episodes", 40, "After each epoch.", lower_bound=2)
    flags.DEFINE_integer(
        "gradient_norms_every",
        0,
        "Epochs between two measurements of validation tasks' first inner gradient; 0: none.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "gap_episodes",
        None,
        "After each epoch, test this many tasks of training and of test classes too; none by "
        "default.",
        lower_bound=2,
    )
    flags.DEFINE_enum(
        "keep", "best", ["best", "last"], "Which epoch is tested: of best validation, or the last."
    )
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
