"""Layers that the backbones share."""

from tfmgaug.layers.normalization import BatchNormalization
from tfmgaug.layers.spatial_dense import SpatialDense
from tfmgaug.layers.standardization import Standardization

__all__ = ["BatchNormalization", "SpatialDense", "Standardization"]
