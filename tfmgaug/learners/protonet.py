"""ProtoNet: the nearest class mean in a learned space."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.learners.closed_form import ClosedFormLearner

_DISTANCES = ("euclidean", "cosine")


@keras.saving.register_keras_serializable("tfmgaug")
class ProtoNet(ClosedFormLearner):
    """Prototypical networks.

    `p_c = mean of f(x)` over the support examples of class c, and the logits of a query are
    `-|f(x) - p_c|^2` (euclidean) or `scale * cos(f(x), p_c)`. Nothing adapts by gradients, and any
    number of ways will do. The cosine to an embedding of zero is taken for zero.

    The state holds "prototypes", for euclidean distances relative to "origin", the support set's
    mean.

    Args:
        backbone: functional `keras.Model` from inputs to embeddings: `conv4(way=None, ...)`.
        distance: what embeddings are compared by: "euclidean" or "cosine".
        scale: float > 0, multiplies the cosine, which alone is too flat for a softmax.
        **kwargs: of `MetaLearner`: statistics, augmentation, parallel_tasks, seed, name.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> learner = ProtoNet(conv4(way=None, image_shape=(28, 28, 1)))

    Reference:
        Snell, Swersky, Zemel, 2017, https://arxiv.org/abs/1703.05175, Eqs. 1 and 2.
    """

    def __init__(
        self,
        backbone: keras.Model,
        *,
        distance: str = "euclidean",
        scale: float = 10.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, **kwargs)
        if distance not in _DISTANCES:
            raise ValueError(f"`distance` must be one of {_DISTANCES}. Received: {distance!r}.")
        if not scale > 0:
            raise ValueError(f"`scale` must be positive. Received: scale={scale}.")
        self.distance = distance
        self.scale = scale

    def fit_head(self, embeddings: tf.Tensor, labels: tf.Tensor, way: tf.Tensor) -> Params:
        if self.distance == "cosine":
            return {"prototypes": tf.math.unsorted_segment_mean(embeddings, labels, way)}
        # Distances are the same from any origin, and lose digits far from it. Near the support set
        # the difference is exact, and a mean taken after it rounds as the classes lie apart.
        origin = tf.stop_gradient(tf.reduce_mean(embeddings, 0))
        prototypes = tf.math.unsorted_segment_mean(embeddings - origin, labels, way)
        return {"prototypes": prototypes, "origin": origin}

    def read_out(self, outputs: tf.Tensor, state: Params) -> tf.Tensor:
        prototypes = state["prototypes"]
        if self.distance == "cosine":
            return self.scale * tf.matmul(_unit(outputs), _unit(prototypes), transpose_b=True)
        # |f|^2 - 2 f.p + |p|^2 needs no [n, way, features] tensor.
        outputs -= state["origin"]
        squares = tf.reduce_sum(outputs**2, 1)[:, None] + tf.reduce_sum(prototypes**2, 1)
        return 2 * tf.matmul(outputs, prototypes, transpose_b=True) - squares


def _unit(vectors):
    """Vectors of length one in their directions, whatever their scale; zero stays zero.

    The gradient at zero, where there is no direction, is zero too.
    """
    # Squares of the largest entries neither overflow nor vanish. The direction doesn't depend on
    # what it is divided by, which needs no gradient.
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(vectors), axis=-1, keepdims=True))
    somewhere = largest > 0
    scaled = vectors / tf.where(somewhere, largest, tf.ones_like(largest))
    squares = tf.reduce_sum(scaled**2, axis=-1, keepdims=True)
    return scaled * tf.math.rsqrt(tf.where(somewhere, squares, tf.ones_like(squares)))
