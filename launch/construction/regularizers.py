"""Builders of regularizers that flags describe by names: TAML by its form, MaxUp by its pool."""

from typing import Literal

from tfmgaug import data, regularizers

AUGMENTATIONS = {
    "cutmix": regularizers.CutMix,
    "rotate": regularizers.RotateClasses,
    "query_erase": lambda: regularizers.OnQuery(regularizers.RandomErase()),
    "support_erase": lambda: regularizers.OnSupport(regularizers.RandomErase()),
    "query_aug": lambda: regularizers.OnQuery(data.Augment()),
    "support_aug": lambda: regularizers.OnSupport(data.Augment()),
}


def taml(
    form: Literal["entropy", "theil", "ge", "atkinson", "gini", "variance_of_logs"] = "entropy",
    alpha: float | None = None,
    epsilon: float | None = None,
    **options,
):
    """Builds the TAML of a form.

    Args:
        form: TAML's penalty: entropy of predictions, or a measure of unequal losses.
        alpha: float, parameter of generalized entropy (ge); None: the constructor's.
        epsilon: float > 0, parameter of atkinson; None: the constructor's.
        **options: of `tfmgaug.regularizers.EntropyTAML`.

    Returns:
        A `Regularizer`.
    """
    if form == "entropy":
        return regularizers.EntropyTAML(**options)
    return regularizers.InequalityTAML(form, alpha=alpha, epsilon=epsilon, **options)


def maxup(pool: list[str] | None = None, **options):
    """Builds MaxUp.

    Args:
        pool: list of strs, what MaxUp draws from: any of cutmix, rotate, query_erase,
            support_erase, query_aug, support_aug, joined by + where they act together; None: the
            pool of the authors' code.
        **options: of `tfmgaug.regularizers.MaxUp`.

    Returns:
        A `Regularizer`.
    """
    if pool is not None:
        pool = [[AUGMENTATIONS[name]() for name in names.split("+")] for names in pool]
    return regularizers.MaxUp(pool=pool, **options)
