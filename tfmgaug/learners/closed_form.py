"""The base of learners without inner steps, which compute a classifier of embeddings."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.engine import returned
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params, replace
from tfmgaug.learners.meta_learner import MetaLearner


class ClosedFormLearner(MetaLearner):
    """A classifier on embeddings that is computed, not descended to.

    Nothing adapts by gradients, and any number of ways will do. Subclasses say what is computed of
    the support embeddings (`fit_head`) and how it reads out those of queries (`read_out`).

    Args:
        backbone: functional `keras.Model` from inputs to embeddings `[n, features]`.
        **kwargs: of `MetaLearner`: statistics, augmentation, parallel_tasks, seed, name.

    Raises:
        TypeError, ValueError: an argument does not fit.
    """

    outputs_logits = False

    def __init__(self, backbone: keras.Model, **kwargs: Any) -> None:
        returned.require_override(self, "fit_head", ClosedFormLearner)
        super().__init__(backbone, **kwargs)
        if not self.classification:
            raise ValueError(
                f"{type(self).__name__} classifies: its loss must be a cross-entropy over integer "
                f"labels. Received: {self.loss_fn!r}."
            )

    @property
    def classifier(self) -> None:
        return None

    @property
    def way(self) -> None:
        return None

    def fit_head(self, embeddings: tf.Tensor, labels: tf.Tensor, way: tf.Tensor) -> Params:
        """Computes what reads out embeddings.

        Args:
            embeddings: of the support set, `[n, features]`.
            labels: integers `[n]`.
            way: int32 scalar, the number of classes.

        Returns:
            A dictionary of named tensors, a part of the state.
        """
        raise NotImplementedError

    def adapt_state(
        self,
        state: Params,
        support_x: tf.Tensor,
        support_y: tf.Tensor,
        context: Context,
        steps: int | tf.Tensor | None = None,
    ) -> Params:
        weights = replace(self.network.params, state)
        support = context.at("support", labels=support_y)
        embeddings, statistics = self.network(weights, support_x, support)
        head = self.fit_head(embeddings, support_y, tf.reduce_max(support_y) + 1)
        adapted = dict(returned.params(self, "fit_head", head))
        if "classes" in adapted:
            raise ValueError(
                f"`{type(self).__name__}.fit_head` must not return 'classes', which the state has "
                "for the classes with support: give the tensor another name."
            )
        if context.statistics == batch_statistics.SUPPORT:
            adapted.update(statistics)
        return {**adapted, **self.task_state(support_y)}
