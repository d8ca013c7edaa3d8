"""Types in the signatures of several modules.

TensorFlow and Keras have no types of their own: to a type checker their tensors, layers and models
are `Any`, and these names are for readers.
"""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import tensorflow as tf

Tensor: TypeAlias = tf.Tensor
ArrayLike: TypeAlias = np.ndarray | tf.Tensor
Shape: TypeAlias = tuple[int | None, ...]  # of a batch: None where it is free
ImageShape: TypeAlias = tuple[int, int, int]  # height, width, channels
Logs: TypeAlias = dict[str, Any] | None  # what Keras hands to callbacks

if TYPE_CHECKING:  # they stand above what they are handed to, which imports nothing from there
    from tfmgaug.learners.meta_learner import MetaLearner as Learner
    from tfmgaug.learners.method import Method
else:
    Learner: TypeAlias = Any
    Method: TypeAlias = Any
