"""The registry of all that a run can be made of: names, constructors, and whose flags are whose.

A row is a name and the dotted path of a constructor. Its arguments become flags (names, types,
defaults and help, see `launch.constructor_flags`), and a flag that the chosen rows don't take is
refused with the names of those that do. A new learner, mask or regularizer is one file and one row
here.
"""

from launch.given_flags import GIVEN, read_with
from launch.rows import Kind, Row

_SUPPLIED = ("augmentation", "backbone", "loss", "magnitude_mask", "name", "regularizers", "seed")
TICKETS = ("meta_ticket", "meta_ticket_boil")


def _learner(name, *without, **options):
    return Row(f"tfmgaug.learners.{name}", without=(*_SUPPLIED, *without), **options)


LEARNERS = Kind(
    "learner",
    {
        "anil": _learner("ANIL"),
        "boil": _learner("BOIL"),
        "cavia": _learner("CAVIA"),
        "fine_tuning": _learner(
            *("FineTuning", "adapts", "classes", "learn_inner_rates", "measure_before"),
            "recompute_inner_steps",
        ),
        # First-order steps keep nothing that could be computed again.
        "fomaml": _learner("FOMAML", "recompute_inner_steps"),
        "maml": _learner("MAML"),
        "meta_ticket": _learner("MetaTicket", "score_mask", "weight_initializer"),
        "meta_ticket_boil": _learner("MetaTicketBOIL", "score_mask", "weight_initializer"),
        "metaoptnet": _learner("MetaOptNet", "head"),
        "protonet": _learner("ProtoNet", needs={"scale": {"distance": ("cosine",)}}),
        "reptile": _learner(
            *("Reptile", "inner_optimizer"), shared={"evaluation_steps": "test_inner_steps"}
        ),
    },
    "Few-shot learning method.",
)

_NETWORK = ("dtype", "image_shape", "mean", "name", "seed", "standard_deviation", "way")
_CAVIA = {"learner": ("cavia",)}
_METAOPTNET = {"learner": ("metaoptnet",)}


def _others_than(*names):
    """The learners that are none of these, as a condition."""
    return {"learner": tuple(name for name in LEARNERS.rows if name not in names)}


# ProtoNet and MetaOptNet have embeddings, and the fine-tuning baseline draws heads of its own.
_HEAD_OF_BACKBONE = _others_than("fine_tuning", "metaoptnet", "protonet")


def _backbone(constructor, *without, **options):
    return Row(constructor, without=(*_NETWORK, *without), **options)


BACKBONES = Kind(
    "backbone",
    {
        "conv4": _backbone(
            "tfmgaug.backbones.conv4",
            needs={
                **dict.fromkeys(("context", "context_blocks"), _CAVIA),
                **dict.fromkeys(("pool_padding", "pool_first"), {"pooling": ("max", "average")}),
                "fused": {"pooling": ("max",), "pool_first": (False,)},
            },
            combined={"context": (100, _CAVIA)},  # its authors', on mini-ImageNet
        ),
        "mlp": _backbone(
            *("launch.construction.networks.mlp", "input_shape", "normalization"),
            # Meta-ticket draws its weights by --weight_initializer.
            needs={"context": _CAVIA, "kernel_initializer": _others_than(*TICKETS)},
            combined={"context": (5, _CAVIA)},  # its authors', on sinusoids
        ),
        "resnet10": _backbone("launch.construction.networks.resnet10"),
        "resnet12": _backbone(
            "launch.construction.networks.resnet12",
            needs={"head_initializer": _HEAD_OF_BACKBONE},
            combined={"global_pooling": (False, _METAOPTNET)},  # Lee et al. keep positions apart
        ),
        "resnet18": _backbone("launch.construction.networks.resnet18"),
        "wide_resnet": _backbone(
            "tfmgaug.backbones.wide_resnet", needs={"head_initializer": _HEAD_OF_BACKBONE}
        ),
    },
    "Network that is trained.",
)

_SHARE = {"rates": (0, 1)}


_PROTONET = {"learner": ("protonet",)}


def _mask(name, **options):
    return Row(f"tfmgaug.masks.{name}", "mask_", numbers=_SHARE, **options)


MASKS = Kind(
    "mask",
    {
        # Its authors' rates: the constructor's are of FOMAML.
        "catfish": _mask("CatfishMask", combined={"rates": ((0.01, 0.03), _PROTONET)}),
        "parameter": _mask("ParameterMask"),
        "width": _mask("WidthMask"),
        "none": None,
    },
    "Pruning of MGAug's sub-networks.",
    default="none",
)
MASKED = tuple(name for name in MASKS.rows if name != "none")

_OVER_TASKS = {"learner": tuple(name for name in LEARNERS.rows if name != "fine_tuning")}


def _regularizer(constructor, prefix, **options):
    shared = {"subnetworks": "regularize_subnetworks"}
    return Row(constructor, f"{prefix}_", shared=shared, **options)


def _in_tfmgaug(name, prefix, **options):
    return _regularizer(f"tfmgaug.regularizers.{name}", prefix, **options)


REGULARIZERS = Kind(
    "regularizers",
    {
        "channel_shuffle": _in_tfmgaug("ChannelShuffle", "channel_shuffle"),
        "drop_block": _in_tfmgaug("DropBlock", "drop_block"),
        "graddrop": _in_tfmgaug("GradDrop", "graddrop"),
        "label_smoothing": _in_tfmgaug("LabelSmoothing", "label_smoothing"),
        "maxup": _regularizer("launch.construction.regularizers.maxup", "maxup"),
        "metamix": _in_tfmgaug("MetaMix", "metamix"),
        "mr_activations": _in_tfmgaug("MRActivations", "mr"),
        "mr_weights": _in_tfmgaug("MRWeights", "mr"),
        "taml": _regularizer(
            *("launch.construction.regularizers.taml", "taml"),
            needs={"alpha": {"taml_form": ("ge",)}, "epsilon": {"taml_form": ("atkinson",)}},
        ),
        "trajectory_coherence": _in_tfmgaug("TrajectoryCoherence", "coherence"),
    },
    "Regularizers of training tasks, any of these, joined by commas:",
    within=_OVER_TASKS,
    several=True,
)

HEADS = Kind(
    "head",
    {
        "ridge": Row("tfmgaug.heads.RidgeHead", "ridge_"),
        "svm": Row("tfmgaug.heads.SVMHead", "svm_"),
    },
    "MetaOptNet's classifier, which is solved for in each task.",
    within=_METAOPTNET,
    default="svm",
)

_REPTILE = {"learner": ("reptile",)}
INNER_OPTIMIZERS = Kind(
    "inner_optimizer",
    {
        # Without momentum, as Reptile has it where it is given no optimizer.
        "adam": Row(
            *("tfmgaug.engine.inner_optimizers.Adam", "inner_"),
            combined={"beta_1": (0.0, _REPTILE)},
        ),
        "sgd": Row("tfmgaug.engine.inner_optimizers.SGD", "inner_"),
    },
    "Optimizer of Reptile's inner steps.",
    within=_REPTILE,
    default="adam",
)

INITIALIZERS = Kind(
    "weight_initializer",
    {
        "kaiming_normal": Row("tfmgaug.backbones.initializers.KaimingNormal"),
        "kaiming_uniform": Row("tfmgaug.backbones.initializers.KaimingUniform"),
        "positive_constant": Row("tfmgaug.backbones.initializers.PositiveConstant"),
        "signed_constant": Row("tfmgaug.backbones.initializers.SignedConstant"),
    },
    "Distribution of Meta-ticket's random weights.",
    within={"learner": TICKETS},
    default="kaiming_normal",
)


def _schedule(name, **options):
    return Row(f"launch.construction.pruning.{name}", "pruning_", **options)


PRUNING = Kind(
    "pruning",
    {"none": None, "dsd": _schedule("dsd"), "iht": _schedule("iht")},
    "Network pruning of the weights that are learned: dense, sparse, dense; or in rounds.",
    default="none",
)

OPTIMIZERS = Kind(
    "optimizer",
    {
        "adam": Row("launch.construction.optimizer.adam", without=("rate",)),
        "sgd": Row(
            "launch.construction.optimizer.sgd",
            without=("rate",),
            needs={"nesterov": {"momentum": GIVEN}},
        ),
    },
    "Optimizer of the outer loop.",
)

_OF_TRAINING = ("rate", "epochs", "steps_per_epoch")
SCHEDULES = Kind(
    "schedule",
    {
        "constant": None,
        "cosine": Row("launch.construction.schedules.cosine", without=_OF_TRAINING),
        "linear": Row("launch.construction.schedules.linear", without=_OF_TRAINING),
        "steps": Row("launch.construction.schedules.steps", "schedule_", without=_OF_TRAINING),
    },
    "Schedule of the outer learning rate: constant, to 0 by cosine or linear, or in steps.",
    default="constant",
)

TASK_AUGMENTATIONS = Kind(
    "task_augmentation",
    {"none": None, "rotate": Row("tfmgaug.data.RotatedClasses", "rotation_")},
    "TaskAug: rotated training images are new training classes.",
    within=_OVER_TASKS,
    default="none",
)


def _images(*only):
    return Row("tfmgaug.data.load", only=("cache_dir", "image_size", "rotations", *only))


# A row names a function that returns `tfmgaug.data.Splits`. Fields of `launch.experiment.Data` fill
# its arguments. Where it takes them, it gets the `name` of the data set, the `seed` (--data_seed)
# and the fewest images of a class, `min_images` (--skip_small_classes).
DATA = Kind(
    "data",
    {
        "glyphs": _images(),
        "omniglot": _images("data_dir", "download", "split"),
        "cifar_fs": _images("data_dir", "download", "skip_unreadable"),
        "fc100": _images("data_dir", "download", "skip_unreadable"),
        "mini_imagenet": _images("data_dir", "download", "image_fit", "skip_unreadable"),
        "tiered_imagenet": _images("data_dir", "download", "image_fit", "skip_unreadable"),
        "cub": _images("data_dir", "download", "image_fit", "skip_unreadable"),
        "vgg_flowers": _images("data_dir", "download", "image_fit", "skip_unreadable"),
        # which can't be downloaded
        "aircraft": _images("data_dir", "image_fit", "skip_unreadable"),
        "cars": _images("data_dir", "download", "image_fit", "skip_unreadable"),
        "folder": _images("data_dir", "fractions", "groups", "image_fit", "skip_unreadable"),
        "sinusoids": None,  # which are drawn, not loaded
    },
    "Data set.",
    default="glyphs",
)


def image_sets():
    """Returns the names of the data sets that are images, not values to be predicted."""
    return tuple(name for name, row in DATA.rows.items() if row is not None)


KINDS = (
    *(LEARNERS, BACKBONES, MASKS, REGULARIZERS, HEADS, INNER_OPTIMIZERS, INITIALIZERS),
    *(PRUNING, OPTIMIZERS, SCHEDULES, TASK_AUGMENTATIONS),
)

# What is not chosen by a name: rows, and what other flags must be chosen for each of them.
MGAUG = Row("tfmgaug.MGAug", without=("mask", "start_step"))
SCORE_MASK = Row("tfmgaug.masks.ScoreMask")
MAGNITUDE_MASK = Row("tfmgaug.masks.MagnitudeMask", "pruning_", numbers=_SHARE)
ITERAND = Row("tfmgaug.callbacks.IteRand", "iterand_", switch="every")
MONITOR = Row(
    "tfmgaug.callbacks.LandscapeMonitor",
    "landscape_",
    without=("figure_dir", "history", "log_dir", "sampler"),
    switch="every",
)
METER = Row(
    "tfmgaug.analysis.LandscapeMeter",
    "landscape_",
    needs={"curvature": {"landscape_every": GIVEN}},
    only=("curvature",),
)
COHERENCE = Row(
    "tfmgaug.callbacks.CoherenceStopping",
    "coherence_",
    switch="patience",
    only=("patience", "tasks"),
)
PARTS = (
    (MGAUG, {"mask": MASKED}),
    (SCORE_MASK, {"learner": TICKETS}),
    (MAGNITUDE_MASK, {"pruning": ("dsd", "iht")}),
    (ITERAND, {"learner": TICKETS}),
    (MONITOR, {}),
    (METER, {}),
    (COHERENCE, {}),
)


def rows():
    """Returns all rows with what must be chosen for each: pairs of a `Row` and a dictionary."""
    named = [
        (row, kind.switches(name))
        for kind in KINDS
        for name, row in kind.rows.items()
        if row is not None
    ]
    return [*named, *PARTS]


def switches(needed):
    """Returns the tuple of `Switch` that a dictionary of needed flags stands for."""
    return read_with(**needed)
