"""MetaOptNet: a linear classifier, solved for in a learned space."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params
from tfmgaug.heads import Head, SVMHead
from tfmgaug.learners.closed_form import ClosedFormLearner


@keras.saving.register_keras_serializable("tfmgaug")
class MetaOptNet(ClosedFormLearner):
    """Meta-learning with differentiable convex optimization.

    `W = sum_i f(x_i) a_i^T` over the support examples, with the coefficients a that solve the
    head's convex problem, and the logits of a query are `scale * f(x) W`. The scale is
    meta-learned with the backbone; gradients flow through the solution. Any number of ways and
    shots will do: the authors train with 15 shots and test with 1 and 5.

    Args:
        backbone: functional `keras.Model` from inputs to embeddings:
            `resnet12(way=None, global_pooling=False)`.
        head: `SVMHead` or `RidgeHead`; None: `SVMHead()`.
        initial_scale: float > 0, factor of the logits at the start.
        **kwargs: of `MetaLearner`: statistics, augmentation, parallel_tasks, seed, name.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> MetaOptNet(
        ...     resnet12(way=None, global_pooling=False),
        ...     head=SVMHead(cost=0.1),
        ...     regularizers=[DropBlock()],
        ... )

    Reference:
        Lee et al., 2019, https://arxiv.org/abs/1904.03758, Eqs. 6 to 12.
    """

    def __init__(
        self,
        backbone: keras.Model,
        *,
        head: Head | None = None,
        initial_scale: float = 1.0,
        **kwargs: Any,
    ) -> None:
        head = SVMHead() if head is None else head
        if not isinstance(head, Head):
            raise TypeError(f"`head` must be a tfmgaug.heads.Head. Received: {head!r}.")
        if not initial_scale > 0:
            raise ValueError(f"`initial_scale` must be positive. Received: {initial_scale}.")
        super().__init__(backbone, **kwargs)
        self.head = head
        self.initial_scale = initial_scale
        self.scale = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(initial_scale), name="scale"
        )

    @property
    def method_variables(self) -> list[keras.Variable]:
        return [*super().method_variables, self.scale]

    def fit_head(self, embeddings: tf.Tensor, labels: tf.Tensor, way: tf.Tensor) -> Params:
        weights = self.head.weights(tf.cast(embeddings, tf.float64), labels, way)
        # Far from the origin of the embedding, x W is what is left of large products: they are
        # added up in float64, once for the task, and (x - origin) W + origin W reads out the rest.
        origin = tf.stop_gradient(tf.reduce_mean(embeddings, 0))
        bias = tf.linalg.matvec(weights, tf.cast(origin, tf.float64), transpose_a=True)
        dtype = embeddings.dtype
        return {"head": tf.cast(weights, dtype), "bias": tf.cast(bias, dtype), "origin": origin}

    def read_out(self, outputs: tf.Tensor, state: Params) -> tf.Tensor:
        scale = tf.cast(tf.convert_to_tensor(self.scale), outputs.dtype)
        return scale * (tf.matmul(outputs - state["origin"], state["head"]) + state["bias"])
