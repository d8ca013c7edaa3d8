"""Few-shot meta-learning in Keras that does not overfit.

Read `learners/meta_learner.py`, then `learners/maml.py`, then one mask, and you know the package.
"""

from tfmgaug import keras_backend

keras_backend.check()  # before anything imports Keras

from tfmgaug import (
    analysis,
    backbones,
    callbacks,
    data,
    evaluation,
    figures,
    heads,
    layers,
    learners,
    masks,
    optimizers,
    tickets,
)
from tfmgaug.augmentation import MGAug
from tfmgaug.episode import Episode, Outcome
from tfmgaug.evaluation import compare, evaluate
from tfmgaug.export import export

__all__ = [
    "Episode",
    "MGAug",
    "Outcome",
    "analysis",
    "backbones",
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
    "masks",
    "optimizers",
    "tickets",
]
__version__ = "0.1.0"
