"""Few-shot meta-learning in Keras that does not overfit."""

from tfmgaug import backbones, layers, learners, masks
from tfmgaug.augmentation import MGAug
from tfmgaug.episode import Episode, Outcome

__all__ = ["Episode", "MGAug", "Outcome", "backbones", "layers", "learners", "masks"]
__version__ = "0.1.0"
