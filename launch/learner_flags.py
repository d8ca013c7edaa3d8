"""The flags of the learner and of its network."""

from absl import flags

from launch import number_flags
from launch.data_flags import IMAGES
from launch.given_flags import read_with

LEARNERS = (
    *("anil", "boil", "cavia", "fine_tuning", "fomaml", "maml"),
    *("meta_ticket", "meta_ticket_boil", "metaoptnet", "protonet", "reptile"),
)
# They read out embeddings in closed form: nothing adapts, and any number of ways will do.
EMBEDDING = ("metaoptnet", "protonet")
ADAPTING = tuple(name for name in LEARNERS if name not in EMBEDDING)
SECOND_ORDER = ("anil", "boil", "cavia", "maml", "meta_ticket", "meta_ticket_boil")
LEARNED_RATES = ("anil", "boil", "cavia", "fomaml", "maml", "meta_ticket", "meta_ticket_boil")
LEARNING_OVER_TASKS = tuple(name for name in LEARNERS if name != "fine_tuning")
BACKBONES = ("conv4", "mlp", "resnet10", "resnet12", "resnet18", "wide_resnet")
# The flags that one backbone alone has; None, their default, leaves the constructor's own.
BACKBONE_FLAGS = {
    "mlp": ("width_factor",),
    "resnet12": ("block_filters", "global_pooling"),
    "wide_resnet": ("depth", "widen"),
}
STATISTICS = ("transductive", "support", "running", "one_by_one")
READ_WITH = {
    **{
        name: read_with(backbone=(backbone,))
        for backbone, names in BACKBONE_FLAGS.items()
        for name in names
    },
    "hidden": read_with(backbone=("mlp",)),
    "filters": read_with(backbone=tuple(name for name in BACKBONES if name != "mlp")),
    "fused": read_with(backbone=("conv4",), strided=(False,)),
    **dict.fromkeys(
        ("inner_steps", "inner_learning_rate", "test_inner_steps", "gradient_norms_every"),
        read_with(learner=ADAPTING),
    ),
    "learn_inner_rates": read_with(learner=LEARNED_RATES),
    "recompute_inner_steps": read_with(learner=SECOND_ORDER),
    "distance": read_with(learner=("protonet",)),
    "regularizers": read_with(learner=LEARNING_OVER_TASKS),
    **dict.fromkeys(
        ("tasks", "train_query", "train_shot"),
        read_with(learner=LEARNING_OVER_TASKS),
    ),
    "train_way": read_with(learner=EMBEDDING),
    **dict.fromkeys(
        ("mutually_exclusive", "task_augmentation", "train_resolutions"),
        read_with(learner=LEARNING_OVER_TASKS, data=IMAGES),
    ),
}


def define():
    """Defines the flags."""
    flags.DEFINE_enum("learner", "fomaml", LEARNERS, "How tasks are learned.")
    flags.DEFINE_enum("backbone", "conv4", BACKBONES, "The network.")
    flags.DEFINE_integer(
        "filters",
        None,
        "Channels of each Conv-4 block (16 by default); of a ResNet's first group (64 by default), "
        "which every further group doubles and ResNet-12 multiplies by 2.5, 5 and 10; or of a wide "
        "ResNet's stem (16 by default).",
        lower_bound=1,
    )
    number_flags.define(
        "block_filters",
        "Channels of ResNet-12's blocks, if not by --filters: Meta-ticket's code has "
        "64,128,256,512.",
        kind=int,
        lower_bound=1,
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
        STATISTICS,
        "What normalizes queries in training: their own batch (the papers), the support set, or "
        "running averages. one_by_one is of tests: the support set and one query.",
    )


def check(settings):
    """Refuses networks and learners that don't fit the data.

    Args:
        settings: absl flags.

    Raises:
        ValueError: they say why.
    """
    if settings.block_filters and settings.filters is not None:
        raise ValueError(
            "--filters and --block_filters both say the channels of ResNet-12: choose one. "
            f"Received: --filters={settings.filters} "
            f"--block_filters={','.join(settings.block_filters)}."
        )
    if settings.data == "sinusoids" and settings.learner in ("fine_tuning", *EMBEDDING):
        raise ValueError(
            "ProtoNet, MetaOptNet and the fine-tuning baseline classify. "
            f"Received: --data=sinusoids --learner={settings.learner}."
        )
    if settings.data == "sinusoids" and settings.backbone != "mlp":
        raise ValueError(
            f"Sinusoids are no images: use --backbone=mlp. Received: {settings.backbone}."
        )


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
