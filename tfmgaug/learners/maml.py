"""MAML: initial weights from which a few gradient steps suffice."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.backbones.head import body_and_head
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_loop import descend
from tfmgaug.engine.params import Params, replace, select
from tfmgaug.learners import attachments, inner_rates
from tfmgaug.learners.adapts import adapting_names
from tfmgaug.learners.meta_learner import MetaLearner
from tfmgaug.learners.settings import positive


@keras.saving.register_keras_serializable("tfmgaug")
class MAML(MetaLearner):
    """Model-agnostic meta-learning.

    Inner loop, per task: `theta' = theta - alpha * dL_support/dtheta`, `inner_steps` times. Outer
    loop: `theta <- theta - beta * 1/T sum_t dL_query(theta'_t)/dtheta`, through the inner steps.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        inner_steps: int >= 1, gradient steps per task, in training and evaluation.
        inner_learning_rate: float >= 0, learning rate of the inner loop, or a list with one for
            each layer that adapts. On the mean loss over examples. (cbfinn/maml divides its loss by
            `shot`, not `way * shot`: for 5-way its 0.01 is 0.05 here, and its 0.4 is 2.0.)
        adapts: which weights the inner loop changes: "all"; "head" (the classifier, as in ANIL,
            whose body is computed once a task); "body" (all but the classifier, as in BOIL);
            "context" (as in CAVIA); or a function from the name of a weight, such as
            `conv1_kernel`, to bool.
        learn_inner_rates: whether the outer loop learns the inner rates, from `inner_learning_rate`
            on: "no"; "layer": one for each layer; "parameter": one for each weight (Meta-SGD).
        first_order: bool, True holds inner gradients constant in the outer loop.
        recompute_inner_steps: bool, whether each inner step is run again when it is differentiated,
            instead of keeping what it computed: the same meta-gradients from less memory, in more
            time.
        **kwargs: of `MetaLearner`: loss, statistics, augmentation, measure_before, parallel_tasks,
            seed, name.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> learner = MAML(conv4(way=5, image_shape=(28, 28, 1)), inner_steps=5)
        >>> learner.compile(keras.optimizers.Adam(1e-3))
        >>> learner.fit(episodes.dataset(), steps_per_epoch=25, epochs=10)

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Algorithm 2.
        Li et al., Meta-SGD, 2017, https://arxiv.org/abs/1707.09835.
    """

    def __init__(
        self,
        backbone: keras.Model,
        *,
        inner_steps: int = 5,
        inner_learning_rate: float | Sequence[float] = 0.01,
        adapts: str | Callable[[str], bool] = "all",
        learn_inner_rates: str = "no",
        first_order: bool = False,
        recompute_inner_steps: bool = False,
        **kwargs: Any,
    ) -> None:
        self.inner_steps = positive("inner_steps", inner_steps)
        self.first_order = first_order
        self.recompute_inner_steps = recompute_inner_steps
        self.adapts = adapts
        super().__init__(backbone, **kwargs)
        self.inner_learning_rate = inner_learning_rate
        self.learn_inner_rates = learn_inner_rates
        self._rates = self._build_rates(inner_learning_rate, learn_inner_rates)

    def _build_rates(self, rate, learned="no"):
        layers = [layer for layer in self.backbone.layers if layer.trainable_variables]
        adapting = select(self.network.variables, self.adapting)
        return inner_rates.build(self.add_weight, layers, adapting, rate, learned)

    @property
    def changeable(self) -> dict[str, Callable]:
        return {
            **super().changeable,
            "inner_steps": functools.partial(positive, "inner_steps"),
            "inner_learning_rate": self._checked_rate,
            "first_order": self._checked_order,
            "recompute_inner_steps": bool,
        }

    def _checked_rate(self, rate):
        if self.learn_inner_rates != "no":
            raise ValueError(
                "`inner_learning_rate` is where rates start that the outer loop learns: build "
                f"another learner. Received: {rate!r} with "
                f"learn_inner_rates={self.learn_inner_rates!r}."
            )
        self._build_rates(rate)
        return rate

    def _checked_order(self, first_order):
        if not first_order:
            attachments.refuse_inexact(self)
        return bool(first_order)

    def setting_changed(self, name: str) -> None:
        super().setting_changed(name)
        if name == "inner_learning_rate":
            self._rates = self._build_rates(self.inner_learning_rate)

    # Cached properties stay out of Keras's tracking.
    @functools.cached_property
    def adapting(self) -> tuple[str, ...]:
        """The names of the weights that the inner loop changes."""
        return tuple(adapting_names(self.adapts, self))

    @property
    def second_order(self) -> bool:
        """Whether meta-gradients flow through inner gradients."""
        return not self.first_order

    @property
    def method_variables(self) -> list[keras.Variable]:
        learned = () if self.learn_inner_rates == "no" else self._rates.values()
        # Weights of one layer may share a rate.
        distinct = {variable.path: variable for variable in learned}
        return [*super().method_variables, *distinct.values()]

    def inner_rates(self) -> dict[str, Any]:
        """Returns the inner learning rates by weight: numbers, or arrays where they are learned."""
        return {name: keras.ops.convert_to_numpy(rate) for name, rate in self._rates.items()}

    def initial_state(self, context: Context | None = None) -> Params:
        return select(self.network.params, self.adapting)

    def adapt_state(
        self,
        state: Params,
        support_x: tf.Tensor,
        support_y: tf.Tensor,
        context: Context,
        steps: int | tf.Tensor | None = None,
    ) -> Params:
        if self.adapts == "head":
            return self._adapt_head(state, support_x, support_y, context, steps)
        task = self.task_state(support_y)

        def loss(adapting, step, captured):
            with self.scope(captured):
                weights = replace(self.network.params, adapting)
                support = context.at("support", step, labels=support_y)
                outputs, _ = self.network(weights, support_x, support)
                return self.support_loss(outputs, support_y, task)

        adapted = self._descend(loss, state, context, steps, self.read_params)
        if context.statistics == batch_statistics.SUPPORT:
            weights = replace(self.network.params, adapted)
            at_the_end = context.at("statistics", labels=support_y)
            _, statistics = self.network(weights, support_x, at_the_end)
            adapted.update(statistics)
        return {**adapted, **task}

    def _adapt_head(self, state, support_x, support_y, context, steps):
        """Adapts the classifier alone, for which the body is computed once."""
        body, head = self._body_and_head
        weights, task = replace(self.network.params, state), self.task_state(support_y)
        once = context.at("support", labels=support_y)
        features, statistics = self.network(weights, support_x, once, model=body)

        def loss(adapting, step, captured):
            with self.scope(captured["params"]):
                weights = replace(self.network.params, adapting)
                support = context.at("support", step, labels=support_y)
                outputs, _ = self.network(weights, captured["features"], support, model=head)
                return self.support_loss(outputs, support_y, task)

        captured = {"features": features, "params": self.read_params}
        adapted = self._descend(loss, state, context, steps, captured)
        if context.statistics == batch_statistics.SUPPORT:
            adapted.update(statistics)
        return {**adapted, **task}

    @functools.cached_property
    def _body_and_head(self):
        return body_and_head(self.backbone)

    def _descend(self, loss, state, context, steps, captured):
        adapting = select(state, self.adapting)
        rates = {name: _as(self._rates[name], weight.dtype) for name, weight in adapting.items()}
        adapted, _ = descend(
            loss,
            adapting,
            rates,
            self.inner_steps if steps is None else steps,
            first_order=self.first_order,
            recompute=self.recompute_inner_steps and self.second_order,
            captured=captured,
            on_gradients=context.inner_gradients,
        )
        return adapted


def _as(rate, dtype):
    # tf.cast would take a float through float32.
    if isinstance(rate, float):
        return tf.constant(rate, dtype)
    return tf.cast(tf.convert_to_tensor(rate), dtype)
