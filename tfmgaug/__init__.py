"""Few-shot meta-learning in Keras that does not overfit.

Read `learners/meta_learner.py`, then `learners/maml.py`, then one mask, and you know the package.
"""

from tfmgaug import keras_backend

keras_backend.check()  # before anything imports Keras

from tfmgaug import (
    analysis,
    augmentation,
    backbones,
    batch_statistics,
    callbacks,
    data,
    evaluation,
    figures,
    heads,
    layers,
    learners,
    losses,
    masks,
    optimizers,
    regularizers,
    tickets,
)
from tfmgaug.augmentation import MGAug
from tfmgaug.episode import Episode, Outcome
from tfmgaug.evaluation import compare, evaluate
from tfmgaug.saved_model import export

__all__ = [
    "Episode",
    "MGAug",
    "Outcome",
    "analysis",
    "augmentation",
    "backbones",
    "batch_statistics",
    "callbacks",
    "compare",
    "data",
    "evaluate",
    "evaluation",
    "export",
    "figures",
    "heads",
    "layers",
    "learners",
    "losses",
    "masks",
    "optimizers",
    "regularizers",
    "tickets",
]
__version__ = "0.1.0"
