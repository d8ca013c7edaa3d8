"""Backbones: ordinary functional Keras models."""

from tfmgaug.backbones.conv4 import conv4
from tfmgaug.backbones.mlp import mlp

__all__ = ["conv4", "mlp"]
