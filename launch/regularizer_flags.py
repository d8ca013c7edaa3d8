"""The regularizers and their flags, each of which is refused where nothing reads it."""

from absl import flags

from launch.given_flags import arguments, given, refuse
from tfmgaug import data, regularizers
from tfmgaug.regularizers.taml import MEASURES

AUGMENTATIONS = {
    "cutmix": regularizers.CutMix,
    "rotate": regularizers.RotateClasses,
    "query_erase": lambda: regularizers.OnQuery(regularizers.RandomErase()),
    "support_erase": lambda: regularizers.OnSupport(regularizers.RandomErase()),
    "query_aug": lambda: regularizers.OnQuery(data.Augment()),
    "support_aug": lambda: regularizers.OnSupport(data.Augment()),
}


def _taml(form="entropy", **options):
    """Builds the TAML of a form, with the constructor's other arguments."""
    if form != "entropy":
        return regularizers.InequalityTAML(form, **options)
    idle = [f"taml_{name}" for name in ("alpha", "epsilon") if name in options]
    refuse(idle, "other forms of TAML", "--taml_form=entropy")
    return regularizers.EntropyTAML(**options)


def _metamix(depths=None, **options):
    """Builds MetaMix from depths that are text."""
    return regularizers.MetaMix(depths=_integers(depths), **options)


def _channel_shuffle(depths=None, **options):
    """Builds ChannelShuffle from depths that are text."""
    return regularizers.ChannelShuffle(depths=_integers(depths), **options)


def _drop_block(block_sizes=None, **options):
    """Builds DropBlock from sizes that are text."""
    if block_sizes is not None:
        options["block_sizes"] = _integers(block_sizes)
    return regularizers.DropBlock(**options)


def _maxup(pool=None, **options):
    """Builds MaxUp from names of augmentations, which "+" joins."""
    if pool is not None:
        pool = [[_augmentation(name) for name in names.split("+")] for names in pool]
    return regularizers.MaxUp(pool=pool, **options)


def _augmentation(name):
    if name not in AUGMENTATIONS:
        raise ValueError(
            f"--maxup_pool must be of {', '.join(AUGMENTATIONS)}, or of these joined by +. "
            f"Received: {name}."
        )
    return AUGMENTATIONS[name]()


def _integers(texts):
    return None if texts is None else [int(text) for text in texts]


# With the flags of constructor arguments; None, their default, leaves the constructor's own.
REGULARIZERS = {
    "channel_shuffle": (
        _channel_shuffle,
        {
            "probability": "channel_shuffle_probability",
            "keep": "channel_shuffle_keep",
            "depths": "channel_shuffle_depths",
        },
    ),
    "drop_block": (
        _drop_block,
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
    "maxup": (_maxup, {"m": "maxup_m", "pool": "maxup_pool", "maximum": "maxup_maximum"}),
    "metamix": (_metamix, {"concentration": "metamix_concentration", "depths": "metamix_depths"}),
    "mr_activations": (
        regularizers.MRActivations,
        {"weight": "mr_weight", "depth": "mr_depth", "initial_deviation": "mr_deviation"},
    ),
    "mr_weights": (
        regularizers.MRWeights,
        {"weight": "mr_weight", "initial_deviation": "mr_deviation"},
    ),
    "taml": (
        _taml,
        {
            "form": "taml_form",
            "weight": "taml_weight",
            "alpha": "taml_alpha",
            "epsilon": "taml_epsilon",
        },
    ),
    "trajectory_coherence": (regularizers.TrajectoryCoherence, {"gamma": "coherence_gamma"}),
}


def define():
    """Defines the flags."""
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
        ["entropy", *MEASURES],
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
        f"What MaxUp draws from: any of {', '.join(AUGMENTATIONS)}, joined by + where they act "
        "together; by default cutmix,query_erase,support_erase,rotate,rotate+cutmix,"
        "rotate+query_erase.",
    )
    flags.DEFINE_float(
        "coherence_gamma", None, "Of the regularizer trajectory_coherence; 0.5 by default."
    )


def build(settings):
    """Builds the regularizers that --regularizers names.

    Args:
        settings: absl flags.

    Returns:
        A list of `Regularizer`.

    Raises:
        ValueError: a name is unknown, or a flag is given that none of them reads.
    """
    names = settings.regularizers
    unknown = [name for name in names if name not in REGULARIZERS]
    if unknown:
        raise ValueError(
            f"--regularizers must be of {', '.join(REGULARIZERS)}. Received: {', '.join(unknown)}."
        )
    _refuse_idle(settings, names)

    def make(kind, flags_of):
        own = arguments(settings, flags_of)
        return kind(**own, subnetworks=settings.regularize_subnetworks)

    return [make(*REGULARIZERS[name]) for name in names]


def _refuse_idle(settings, names):
    read = {name: set(flags_of.values()) for name, (_, flags_of) in REGULARIZERS.items()}
    idle = set().union(*read.values()) - set().union(*(read[name] for name in names))
    found = list(given(settings, sorted(idle)))
    if settings.regularize_subnetworks and not names:
        found.append("regularize_subnetworks")
    owner = "regularizers that --regularizers does not name"
    refuse(found, owner, f"--regularizers={','.join(names)}")
