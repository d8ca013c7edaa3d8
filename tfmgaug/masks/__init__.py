"""Masks: Keras layers that prune a backbone's weights."""

from tfmgaug.masks.catfish import CatfishMask
from tfmgaug.masks.cutting import cut
from tfmgaug.masks.magnitude import MagnitudeMask
from tfmgaug.masks.mask import Mask, Subnetwork
from tfmgaug.masks.parameter import ParameterMask
from tfmgaug.masks.score import ScoreMask
from tfmgaug.masks.width import WidthMask

__all__ = [
    "CatfishMask",
    "MagnitudeMask",
    "Mask",
    "ParameterMask",
    "ScoreMask",
    "Subnetwork",
    "WidthMask",
    "cut",
]
