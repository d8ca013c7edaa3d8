"""The flags of a training run, and the only table from names to classes."""

from absl import flags

from launch import (
    cavia_flags,
    landscape_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    optimization,
    pruning_flags,
    regularizer_flags,
    reptile_flags,
)
from tfmgaug import batch_statistics, learners, masks, regularizers
from tfmgaug.regularizers.taml import MEASURES as TAML_MEASURES

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
# With the flags of constructor arguments; None, their default, leaves the constructor's own.
REGULARIZERS = {
    "channel_shuffle": (
        regularizer_flags.channel_shuffle,
        {
            "probability": "channel_shuffle_probability",
            "keep": "channel_shuffle_keep",
            "depths": "channel_shuffle_depths",
        },
    ),
    "drop_block": (
        regularizer_flags.drop_block,
        {
            "rate": "drop_block_rate",
            "block_sizes": "drop_block_sizes",
            "ramp_steps": "drop_block_ramp",
        },
    ),
    "graddrop": (
        regularizers.GradDrop,
        {
            "rate": "graddrop_rate",
            "distribution": "graddrop_distribution",
            "ramp_steps": "graddrop_ramp",
        },
    ),
    "label_smoothing": (regularizers.LabelSmoothing, {"rate": "label_smoothing_rate"}),
    "maxup": (
        regularizer_flags.maxup,
        {"m": "maxup_m", "pool": "maxup_pool", "maximum": "maxup_maximum"},
    ),
    "metamix": (
        regularizer_flags.metamix,
        {"concentration": "metamix_concentration", "depths": "metamix_depths"},
    ),
    "mr_activations": (
        regularizers.MRActivations,
        {"weight": "mr_weight", "depth": "mr_depth", "initial_deviation": "mr_deviation"},
    ),
    "mr_weights": (
        regularizers.MRWeights,
        {"weight": "mr_weight", "initial_deviation": "mr_deviation"},
    ),
    "taml": (
        regularizer_flags.taml,
        {
            "form": "taml_form",
            "weight": "taml_weight",
            "alpha": "taml_alpha",
            "epsilon": "taml_epsilon",
        },
    ),
    "trajectory_coherence": (regularizers.TrajectoryCoherence, {"gamma": "coherence_gamma"}),
}
BACKBONES = ("conv4", "mlp", "resnet10", "resnet12", "resnet18", "wide_resnet")
# The flags that one backbone alone has; None, their default, leaves the constructor's own.
BACKBONE_FLAGS = {
    "mlp": ("width_factor",),
    "resnet12": ("block_filters", "global_pooling"),
    "wide_resnet": ("depth", "widen"),
}
DATA = (
    *("glyphs", "omniglot", "cifar_fs", "fc100", "mini_imagenet", "tiered_imagenet", "cub"),
    *("vgg_flowers", "aircraft", "cars", "folder", "sinusoids"),
)

# Flags that a file of their own defines.
_FAMILIES = (
    cavia_flags,
    landscape_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    optimization,
    pruning_flags,
    reptile_flags,
)
# What a run can be resumed with although it was started with something else.
_FREE_ON_RESUME = ("cache_dir", "overwrite", "parallel_tasks", "resume", "run_dir")


def define():
    """Defines the flags of `launch.train`."""
    _define_data()
    _define_learner()
    for family in _FAMILIES:
        family.define()
        flags.adopt_module_key_flags(family)
    _define_mgaug()
    _define_regularizers()
    _define_training()


def define_data():
    """Defines the flags that name data and episodes, which evaluation shares."""
    _define_data()


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
    flags.DEFINE_enum(
        "test_classes",
        "test",
        ["test", "validation", "train"],
        "Whose classes test episodes are of; train shows what was memorized.",
    )
    flags.DEFINE_boolean(
        "test_mutually_exclusive",
        True,
        "Shuffle labels in every test task. Otherwise a class keeps the label that "
        "--nomutually_exclusive gives it in training.",
    )
    flags.DEFINE_boolean(
        "test_crop",
        False,
        "As the papers on photos: load images at 1.15 x image_size; test on the center, and train "
        "on it too, or on crops of all with --augment_images.",
    )
    flags.DEFINE_integer(
        "train_classes", None, "Train on this many of the training classes.", lower_bound=2
    )


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


def _define_regularizers():
    flags.DEFINE_list(
        "regularizers", [], f"What acts on tasks in training: any of {', '.join(REGULARIZERS)}."
    )
    flags.DEFINE_boolean(
        "regularize_subnetworks", False, "Whether they act on MGAug's sub-networks too."
    )
    flags.DEFINE_float("graddrop_rate", None, "Share of inner gradients dropped; 0.1 by default.")
    flags.DEFINE_enum(
        "graddrop_distribution", None, ["binary", "gaussian"], "Of its noise; binary by default."
    )
    flags.DEFINE_integer(
        "graddrop_ramp", None, "Outer steps in which its rate rises from 0; 0 by default."
    )
    flags.DEFINE_float(
        "mr_weight", None, "MR's beta; by default 1e-5 for weights, 0.01 for activations."
    )
    flags.DEFINE_float(
        "mr_deviation",
        None,
        "MR's noise at the start; by default 0.05 for weights, 0.69 for activations.",
    )
    flags.DEFINE_integer(
        "mr_depth", None, "Stages before the noise of mr_activations; by default all but the last."
    )
    flags.DEFINE_float(
        "metamix_concentration",
        None,
        "Of MetaMix's Beta distribution; by default 2, for regression 0.5.",
    )
    flags.DEFINE_list(
        "metamix_depths", None, "Where MetaMix mixes, 0 the image; everywhere by default."
    )
    flags.DEFINE_list(
        "channel_shuffle_depths",
        None,
        "Where channels are shuffled, from 1; behind all stages but the last by default.",
    )
    flags.DEFINE_float(
        "channel_shuffle_probability", None, "That a task is shuffled; 0.5 by default."
    )
    flags.DEFINE_float("channel_shuffle_keep", None, "That a channel stays; 5/6 by default.")
    flags.DEFINE_float("drop_block_rate", None, "Share of features dropped; 0.1 by default.")
    flags.DEFINE_list(
        "drop_block_sizes", None, "Sides of blocks behind each stage; 1,1,5,5 by default."
    )
    flags.DEFINE_integer(
        "drop_block_ramp", None, "Outer steps in which its rate rises from 0; 20000 by default."
    )
    flags.DEFINE_float(
        "label_smoothing_rate", None, "Probability given to the other classes; 0.1 by default."
    )
    flags.DEFINE_enum(
        "taml_form",
        None,
        ["entropy", *TAML_MEASURES],
        "TAML's penalty: on predictions, or on unequal losses; entropy by default.",
    )
    flags.DEFINE_float("taml_weight", None, "TAML's weight; 0.1 by default.")
    flags.DEFINE_float("taml_alpha", None, "Of generalized entropy (ge); 2 by default.")
    flags.DEFINE_float("taml_epsilon", None, "Of atkinson; 0.5 by default.")
    flags.DEFINE_integer("maxup_m", None, "Augmentations of each task in MaxUp; 4 by default.")
    flags.DEFINE_enum(
        "maxup_maximum", None, ["task", "query"], "Of what MaxUp takes the worst; task by default."
    )
    flags.DEFINE_list(
        "maxup_pool",
        None,
        f"What MaxUp draws from: any of {', '.join(regularizer_flags.AUGMENTATIONS)}, joined by + "
        "where they act together; by default cutmix,query_erase,support_erase,rotate,"
        "rotate+cutmix,rotate+query_erase.",
    )


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
