"""Layers that the backbones share."""

from tfmgaug.layers.context import Context
from tfmgaug.layers.film import FiLM
from tfmgaug.layers.normalization import BatchNormalization
from tfmgaug.layers.pooled_normalization import PooledBatchNormalization
from tfmgaug.layers.spatial_dense import SpatialDense
from tfmgaug.layers.standardization import Standardization

__all__ = [
    "BatchNormalization",
    "Context",
    "FiLM",
    "PooledBatchNormalization",
    "SpatialDense",
    "Standardization",
]
