"""The flags of regularizers."""

from absl import flags

from launch import number_flags
from launch.given_flags import GIVEN, read_with

AUGMENTATIONS = (
    *("cutmix", "rotate", "query_erase"),
    *("support_erase", "query_aug", "support_aug"),
)
TAML_FORMS = ("entropy", "theil", "ge", "atkinson", "gini", "variance_of_logs")
# Regularizers by name, with the flags of constructor arguments; None, their default, leaves the
# constructor's own.
REGULARIZERS = {
    "channel_shuffle": {
        "probability": "channel_shuffle_probability",
        "keep": "channel_shuffle_keep",
        "depths": "channel_shuffle_depths",
    },
    "drop_block": {
        "rate": "drop_block_rate",
        "block_sizes": "drop_block_sizes",
        "ramp_steps": "drop_block_ramp",
    },
    "graddrop": {
        "rate": "graddrop_rate",
        "distribution": "graddrop_distribution",
        "ramp_steps": "graddrop_ramp",
    },
    "label_smoothing": {"rate": "label_smoothing_rate"},
    "maxup": {"m": "maxup_m", "pool": "maxup_pool", "maximum": "maxup_maximum"},
    "metamix": {"concentration": "metamix_concentration", "depths": "metamix_depths"},
    "mr_activations": {
        "weight": "mr_weight",
        "depth": "mr_depth",
        "initial_deviation": "mr_deviation",
    },
    "mr_weights": {"weight": "mr_weight", "initial_deviation": "mr_deviation"},
    "taml": {
        "form": "taml_form",
        "weight": "taml_weight",
        "alpha": "taml_alpha",
        "epsilon": "taml_epsilon",
    },
    "trajectory_coherence": {"gamma": "coherence_gamma"},
}


def _readers():
    """Which regularizers read each of the flags."""
    readers = {}
    for name, flags_of in REGULARIZERS.items():
        for flag in flags_of.values():
            readers[flag] = (*readers.get(flag, ()), name)
    return readers


READ_WITH = {
    **{flag: read_with(regularizers=names) for flag, names in _readers().items()},
    "taml_alpha": read_with(regularizers=("taml",), taml_form=("ge",)),
    "taml_epsilon": read_with(regularizers=("taml",), taml_form=("atkinson",)),
    "regularize_subnetworks": read_with(regularizers=GIVEN, mask=("catfish", "parameter", "width")),
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
    number_flags.define(
        "metamix_depths", "Where MetaMix mixes, 0 the image; everywhere by default.", kind=int
    )
    number_flags.define(
        "channel_shuffle_depths",
        "Where channels are shuffled, from 1; behind all stages but the last by default.",
        kind=int,
        lower_bound=1,
    )
    flags.DEFINE_float(
        "channel_shuffle_probability", None, "That a task is shuffled; 0.5 by default."
    )
    flags.DEFINE_float("channel_shuffle_keep", None, "That a channel stays; 5/6 by default.")
    flags.DEFINE_float("drop_block_rate", None, "Share of features dropped; 0.1 by default.")
    number_flags.define(
        "drop_block_sizes",
        "Sides of blocks behind each stage; 1,1,5,5 by default.",
        kind=int,
        lower_bound=1,
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
        TAML_FORMS,
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


def check(settings):
    """Refuses names of regularizers and of augmentations that there are not.

    Args:
        settings: absl flags.

    Raises:
        ValueError: there are some.
    """
    unknown = [name for name in settings.regularizers if name not in REGULARIZERS]
    if unknown:
        raise ValueError(
            f"--regularizers must be of {', '.join(REGULARIZERS)}. Received: {', '.join(unknown)}."
        )
    for name in (name for names in settings.maxup_pool or () for name in names.split("+")):
        if name not in AUGMENTATIONS:
            raise ValueError(
                f"--maxup_pool must be of {', '.join(AUGMENTATIONS)}, or of these joined by +. "
                f"Received: {name}."
            )
