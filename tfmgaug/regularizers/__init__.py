"""Regularizers: what acts on a task while it is trained on, beside masks."""

from tfmgaug.regularizers.regularizer import Regularizer

__all__ = ["Regularizer"]
