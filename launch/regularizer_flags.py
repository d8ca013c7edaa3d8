"""Regularizers whose flags are no mere constructor arguments."""

from tfmgaug import data, regularizers

AUGMENTATIONS = {
    "cutmix": regularizers.CutMix,
    "rotate": regularizers.RotateClasses,
    "query_erase": lambda: regularizers.OnQuery(regularizers.RandomErase()),
    "support_erase": lambda: regularizers.OnSupport(regularizers.RandomErase()),
    "query_aug": lambda: regularizers.OnQuery(data.Augment()),
    "support_aug": lambda: regularizers.OnSupport(data.Augment()),
}


def taml(form="entropy", **options):
    """Builds the TAML of a form, with the constructor's other arguments."""
    if form != "entropy":
        return regularizers.InequalityTAML(form, **options)
    idle = [f"--taml_{name}" for name in ("alpha", "epsilon") if name in options]
    if idle:
        raise ValueError(
            f"These flags belong to other forms of TAML. Received: {', '.join(idle)} with "
            "--taml_form=entropy."
        )
    return regularizers.EntropyTAML(**options)


def metamix(depths=None, **options):
    """Builds MetaMix from depths that are text."""
    return regularizers.MetaMix(depths=_integers(depths), **options)


def channel_shuffle(depths=None, **options):
    """Builds ChannelShuffle from depths that are text."""
    return regularizers.ChannelShuffle(depths=_integers(depths), **options)


def drop_block(block_sizes=None, **options):
    """Builds DropBlock from sizes that are text."""
    if block_sizes is not None:
        options["block_sizes"] = _integers(block_sizes)
    return regularizers.DropBlock(**options)


def maxup(pool=None, **options):
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
