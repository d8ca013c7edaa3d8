"""CAVIA: a context adapts, all weights stay."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.engine.context import Context
from tfmgaug.engine.params import Params
from tfmgaug.engine.task import TaskGradient
from tfmgaug.episode import Episode
from tfmgaug.layers.context import contexts_of
from tfmgaug.learners.maml import MAML
from tfmgaug.learners.part_learned import fixed, without


@keras.saving.register_keras_serializable("tfmgaug")
class CAVIA(MAML):
    """Fast context adaptation via meta-learning.

    Inner loop, per task, from `phi = 0`: `phi <- phi - alpha * dL_support(theta, phi)/dphi`. Outer
    loop: `theta <- theta - beta * 1/T sum_t dL_query(theta, phi_t)/dtheta`, through the inner
    steps. The weights theta are shared by all tasks, the context phi is never meta-learned. Masks
    prune theta alone.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]` or values, with a
            `tfmgaug.layers.Context`: `conv4(..., context=100)`, or `mlp(..., context=5)`.
        inner_steps: int >= 1, gradient steps per task. The authors take 2 on mini-ImageNet, 1 on
            sinusoids.
        inner_learning_rate: float >= 0, alpha, learning rate of the inner loop.
        clip_task_gradients: float > 0: entries of each task's gradient are clipped to plus and
            minus this before they are averaged. The authors do so for regression, with 10. (For
            classification they clip the average: `clipvalue=10` of the Keras optimizer.) None: as
            they are.
        **kwargs: of `MAML`: learn_inner_rates, first_order and so on.

    Raises:
        TypeError, ValueError: an argument does not fit, or the backbone has no context.

    Example:
        >>> backbone = conv4(way=5, image_shape=(84, 84, 3), filters=128, context=100)
        >>> learner = CAVIA(backbone)
        >>> learner.compile(keras.optimizers.Adam(1e-3, clipvalue=10))

    Reference:
        Zintgraf et al., 2019, https://arxiv.org/abs/1810.03642, Algorithm 1.
    """

    no_meta_gradient_scores = (
        "CAVIA's meta-gradient flows through the context, and is not the gradient of the query "
        "loss in the weights."
    )

    def __init__(
        self,
        backbone: keras.Model,
        *,
        inner_steps: int = 2,
        inner_learning_rate: float = 1.0,
        clip_task_gradients: float | None = None,
        **kwargs: Any,
    ) -> None:
        if clip_task_gradients is not None and not clip_task_gradients > 0:
            raise ValueError(
                f"`clip_task_gradients` must be positive. Received: {clip_task_gradients}."
            )
        if isinstance(backbone, keras.Model) and not contexts_of(backbone):
            raise ValueError(
                "CAVIA adapts a context: build the backbone with one, as `conv4(..., context=100)` "
                f"and `mlp(..., context=5)`. Received: {backbone.name!r}, which has none."
            )
        self.clip_task_gradients = clip_task_gradients
        super().__init__(
            backbone,
            inner_steps=inner_steps,
            inner_learning_rate=inner_learning_rate,
            **fixed(self, kwargs, adapts="context"),
        )
        for context in self.contexts:  # another learner may have learned it
            context.assign(tf.zeros_like(context))

    @property
    def contexts(self) -> list[keras.Variable]:
        """The variables that adapt: where each task starts, at zero."""
        return contexts_of(self.backbone)

    @property
    def method_variables(self) -> list[keras.Variable]:
        return without(super().method_variables, self.contexts)

    @property
    def fixed_variables(self) -> list[keras.Variable]:
        return [*self.contexts, *super().fixed_variables]

    def task_gradient(
        self, theta: Params, episode: Episode, context: Context, coupling: dict | None = None
    ) -> TaskGradient:
        learned = super().task_gradient(theta, episode, context, coupling)
        if self.clip_task_gradients is None:
            return learned
        limit = self.clip_task_gradients
        clipped = {
            name: tf.clip_by_value(gradient, -limit, limit)
            for name, gradient in learned.gradients.items()
        }
        return learned._replace(gradients=clipped)
