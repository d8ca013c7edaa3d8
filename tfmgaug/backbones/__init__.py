"""Backbones: ordinary functional Keras models."""

from tfmgaug.backbones.conv4_model import conv4
from tfmgaug.backbones.mlp_model import mlp
from tfmgaug.backbones.resnet12_model import resnet12
from tfmgaug.backbones.resnet_models import resnet, resnet10, resnet18
from tfmgaug.backbones.stage_models import stages
from tfmgaug.backbones.wide_resnet_model import wide_resnet

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
