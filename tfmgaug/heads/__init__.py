"""Heads: linear classifiers that are solved for, given the embeddings of a support set."""

from tfmgaug.heads.head import Head
from tfmgaug.heads.ridge import RidgeHead
from tfmgaug.heads.svm import SVMHead

__all__ = ["Head", "RidgeHead", "SVMHead"]
