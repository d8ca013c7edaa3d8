"""Keras callbacks for meta-training."""

from tfmgaug.callbacks.checkpoint import Checkpoint, restore
from tfmgaug.callbacks.coherence_stopping import CoherenceStopping
from tfmgaug.callbacks.finite import FiniteLoss, NonFiniteError, outer_step
from tfmgaug.callbacks.gap import GeneralizationGap
from tfmgaug.callbacks.gradient_norms import GradientNorms
from tfmgaug.callbacks.iterand import IteRand
from tfmgaug.callbacks.landscape import LandscapeMonitor
from tfmgaug.callbacks.mask_sparsity import MaskSparsity
from tfmgaug.callbacks.progress import Progress
from tfmgaug.callbacks.pruning import DSD, IHT, PruningSchedule
from tfmgaug.callbacks.tensorboard import TensorBoard

__all__ = [
    "DSD",
    "IHT",
    "Checkpoint",
    "CoherenceStopping",
    "FiniteLoss",
    "GeneralizationGap",
    "GradientNorms",
    "IteRand",
    "LandscapeMonitor",
    "MaskSparsity",
    "NonFiniteError",
    "Progress",
    "PruningSchedule",
    "TensorBoard",
    "outer_step",
    "restore",
]
