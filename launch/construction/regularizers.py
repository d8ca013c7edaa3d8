"""The regularizers that --regularizers names."""

from launch.given_flags import arguments
from launch.regularizer_flags import REGULARIZERS as FLAGS_OF
from tfmgaug import data, regularizers

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
    if form == "entropy":
        return regularizers.EntropyTAML(**options)
    return regularizers.InequalityTAML(form, **options)


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
        pool = [[AUGMENTATIONS[name]() for name in names.split("+")] for names in pool]
    return regularizers.MaxUp(pool=pool, **options)


def _integers(texts):
    return None if texts is None else [int(text) for text in texts]


REGULARIZERS = {
    "channel_shuffle": _channel_shuffle,
    "drop_block": _drop_block,
    "graddrop": regularizers.GradDrop,
    "label_smoothing": regularizers.LabelSmoothing,
    "maxup": _maxup,
    "metamix": _metamix,
    "mr_activations": regularizers.MRActivations,
    "mr_weights": regularizers.MRWeights,
    "taml": _taml,
    "trajectory_coherence": regularizers.TrajectoryCoherence,
}


def build(settings):
    """Builds the regularizers that --regularizers names.

    Args:
        settings: absl flags.

    Returns:
        A list of `Regularizer`.

    Raises:
        ValueError: a flag is out of range.
    """

    def make(name):
        options = arguments(settings, FLAGS_OF[name])
        return REGULARIZERS[name](**options, subnetworks=settings.regularize_subnetworks)

    return [make(name) for name in settings.regularizers]
