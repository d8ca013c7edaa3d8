"""Backbones: ordinary functional Keras models."""

from tfmgaug.backbones.conv4 import conv4
from tfmgaug.backbones.mlp import mlp
from tfmgaug.backbones.resnet import resnet, resnet10, resnet18
from tfmgaug.backbones.resnet12 import resnet12
from tfmgaug.backbones.stages import stages
from tfmgaug.backbones.wide_resnet import wide_resnet

__all__ = [
    "conv4",
    "mlp",
    "resnet",
    "resnet10",
    "resnet12",
    "resnet18",
    "stages",
    "wide_resnet",
]
