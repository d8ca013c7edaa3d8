from tfmgaug.callbacks.checkpoint import Checkpoint, restore
from tfmgaug.callbacks.coherence_stopping import CoherenceStopping
from tfmgaug.callbacks.finite import FiniteLoss, NonFiniteError, outer_step
from tfmgaug.callbacks.iterand import IteRand
from tfmgaug.callbacks.landscape import LandscapeMonitor
from tfmgaug.callbacks.progress import Progress
from tfmgaug.callbacks.tensorboard import TensorBoard

__all__ = [
    "Checkpoint",
    "CoherenceStopping",
    "FiniteLoss",
    "IteRand",
    "LandscapeMonitor",
    "NonFiniteError",
    "Progress",
    "TensorBoard",
    "outer_step",
    "restore",
]
