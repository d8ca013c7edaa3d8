"""Regularizers: changes to how a task is trained on, beside masks."""

from tfmgaug.regularizers.activation_information import MRActivations
from tfmgaug.regularizers.channel_shuffle import ChannelShuffle
from tfmgaug.regularizers.cutmix import CutMix
from tfmgaug.regularizers.drop_block import DropBlock
from tfmgaug.regularizers.gradient_dropout import GradDrop
from tfmgaug.regularizers.label_smoothing import LabelSmoothing
from tfmgaug.regularizers.maxup import MaxUp
from tfmgaug.regularizers.metamix import MetaMix
from tfmgaug.regularizers.random_erase import RandomErase
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.regularizers.rotate_classes import RotateClasses
from tfmgaug.regularizers.taml import EntropyTAML, InequalityTAML
from tfmgaug.regularizers.task_augmentation import OnQuery, OnSupport, TaskAugmentation
from tfmgaug.regularizers.trajectory_coherence import TrajectoryCoherence
from tfmgaug.regularizers.weight_information import MRWeights

__all__ = [
    "ChannelShuffle",
    "CutMix",
    "DropBlock",
    "EntropyTAML",
    "GradDrop",
    "InequalityTAML",
    "LabelSmoothing",
    "MRActivations",
    "MRWeights",
    "MaxUp",
    "MetaMix",
    "OnQuery",
    "OnSupport",
    "RandomErase",
    "Regularizer",
    "RotateClasses",
    "TaskAugmentation",
    "TrajectoryCoherence",
]
