"""Types in the signatures of several modules.

TensorFlow and Keras have no types of their own: to a type checker their tensors, layers and models
are `Any`, and these names are for readers.
"""

from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

Tensor: TypeAlias = tf.Tensor
ArrayLike: TypeAlias = np.ndarray | tf.Tensor
Shape: TypeAlias = tuple[int | None, ...]  # of a batch: None where it is free
ImageShape: TypeAlias = tuple[int, int, int]  # height, width, channels
Logs: TypeAlias = dict[str, Any] | None  # what Keras hands to callbacks
Learner: TypeAlias = Any  # tfmgaug.learners.MetaLearner, which stands above what it is handed to
