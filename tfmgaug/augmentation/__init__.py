"""Meta-gradient augmentation: sub-networks that add to the meta-gradient."""

from tfmgaug.augmentation.mgaug import MGAug

__all__ = ["MGAug"]
