"""Reptile: the weights move toward where inner steps lead."""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.engine import hooks
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_batches import batch_of, shuffled
from tfmgaug.engine.inner_loop import connected, descend
from tfmgaug.engine.inner_optimizers import Adam, InnerOptimizer
from tfmgaug.engine.params import Params, read, replace, select, without
from tfmgaug.engine.task import TaskGradient, TaskRun, initial_outcome
from tfmgaug.episode import Episode, Outcome
from tfmgaug.learners import inner_rates
from tfmgaug.learners.meta_learner import MetaLearner
from tfmgaug.learners.settings import positive
from tfmgaug.randomness import fold, key

_REDUCTIONS = ("mean", "sum")
# What changes an outer loss, which Reptile doesn't have, or where inner steps end.
_REFUSED = (
    hooks.AddsPenalty,
    hooks.AveragesTasks,
    hooks.CorrectsState,
    hooks.CouplesTasks,
    hooks.ReplacesOutcome,
)


@keras.saving.register_keras_serializable("tfmgaug")
class Reptile(MetaLearner):
    """Reptile: first-order meta-learning from support sets alone.

    Inner loop, per task: `phi <- phi - alpha * dL_batch(phi)/dphi`, or what another optimizer makes
    of it, `inner_steps` times from `phi = theta`. Meta-gradient: `theta - phi`, so that an outer
    SGD of rate epsilon gives `theta <- theta + epsilon * 1/T sum_t (phi_t - theta)`; let epsilon
    fall to 0 as the authors do. Queries are predicted to see how well it goes, nothing learns from
    them. A catfish mask scores weights by the loss of a task's first inner batch.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        inner_steps: int >= 1, gradient steps per task, in training.
        inner_learning_rate: float >= 0, of the inner loop, or a list with one for each layer.
        inner_optimizer: `tfmgaug.engine.inner_optimizers.InnerOptimizer`; None:
            `Adam(beta_1=0.0)`, the authors'.
        inner_batch: int >= 1, support examples of an inner step in training: batches follow one
            another in the shuffled support set, which is shuffled again when it ends. None: the
            whole support set.
        evaluation_steps: int >= 1, inner steps in evaluation and export; None: `inner_steps`.
        evaluation_batch: int >= 1, `inner_batch` of evaluation and export; None: `inner_batch`.
        inner_reduction: of the loss over an inner batch: "mean" or "sum" (the authors). With SGD a
            sum over b examples is a mean at b times the rate; with Adam, one at the b-th part of
            epsilon.
        carry_slots: bool, whether the inner optimizer's slots go on from task to task and from step
            to step as the authors' do, in one fixed order, or start anew in every task: one task
            at a time (`parallel_tasks=1`), on one replica. Evaluation starts from the last ones.
        **kwargs: of `MetaLearner`: loss, statistics, augmentation, magnitude_mask, measure_before,
            parallel_tasks, seed, name.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> learner = Reptile(conv4(way=5, image_shape=(84, 84, 3)), inner_batch=10)
        >>> rate = keras.optimizers.schedules.PolynomialDecay(1.0, 100_000, 0.0)
        >>> learner.compile(keras.optimizers.SGD(rate))

    Reference:
        Nichol, Achiam, Schulman, 2018, https://arxiv.org/abs/1803.02999, Algorithm 2, and its code.
    """

    has_outer_loss = False
    no_gradient_check = "Reptile's meta-gradient is a difference of weights."
    no_meta_gradient_scores = (
        "Reptile's meta-gradient is a difference of weights, no gradient of a loss to score "
        "weights by: score='query_loss' is the loss of the first inner batch here."
    )

    def __init__(
        self,
        backbone: keras.Model,
        *,
        inner_steps: int = 8,
        inner_learning_rate: float | Sequence[float] = 1e-3,
        inner_optimizer: InnerOptimizer | None = None,
        inner_batch: int | None = None,
        evaluation_steps: int | None = None,
        evaluation_batch: int | None = None,
        inner_reduction: str = "mean",
        carry_slots: bool = False,
        **kwargs: Any,
    ) -> None:
        self.inner_steps = positive("inner_steps", inner_steps)
        self._evaluation_steps = positive("evaluation_steps", evaluation_steps, optional=True)
        self.inner_batch = positive("inner_batch", inner_batch, optional=True)
        self.evaluation_batch = positive("evaluation_batch", evaluation_batch, optional=True)
        self.inner_optimizer = Adam(beta_1=0.0) if inner_optimizer is None else inner_optimizer
        if not isinstance(self.inner_optimizer, InnerOptimizer):
            raise TypeError(
                "`inner_optimizer` must be of tfmgaug.engine.inner_optimizers. "
                f"Received: {inner_optimizer!r}."
            )
        if inner_reduction not in _REDUCTIONS:
            raise ValueError(
                f"`inner_reduction` must be one of {_REDUCTIONS}. Received: {inner_reduction!r}."
            )
        self.inner_reduction = inner_reduction
        self.carry_slots = carry_slots
        super().__init__(backbone, **kwargs)
        self.inner_learning_rate = inner_learning_rate
        self._rates = self._build_rates(inner_learning_rate)
        self._refuse_misfits()
        self._build_slots()

    def _build_rates(self, rate):
        layers = [layer for layer in self.backbone.layers if layer.trainable_variables]
        return inner_rates.build(self.add_weight, layers, self.network.variables, rate, "no")

    @property
    def changeable(self) -> dict[str, Callable]:
        at_least_one: dict[str, Callable] = {
            name: functools.partial(positive, name, optional=name != "inner_steps")
            for name in ("inner_steps", "inner_batch", "evaluation_steps", "evaluation_batch")
        }
        rate = {"inner_learning_rate": lambda rate: self._build_rates(rate) and rate}
        changeable = {**super().changeable, **at_least_one, **rate}
        if self.carry_slots:
            del changeable["parallel_tasks"]
        return changeable

    def setting_changed(self, name: str) -> None:
        super().setting_changed(name)
        if name == "inner_learning_rate":
            self._rates = self._build_rates(self.inner_learning_rate)

    def _refuse_misfits(self):
        for regularizer in self.regularizers:
            if isinstance(regularizer, _REFUSED):
                raise ValueError(
                    "Reptile has no outer loss that a regularizer could change, and learns from "
                    "where inner steps end. "
                    f"Received: {type(regularizer).__name__}."
                )
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if self.carry_slots and (self.parallel_tasks > 1 or replicas > 1):
            raise ValueError(
                "carry_slots=True runs tasks one after another: it needs parallel_tasks=1 and one "
                f"replica. Received: parallel_tasks={self.parallel_tasks}, {replicas} replica(s)."
            )

    def _build_slots(self):
        start = self.inner_optimizer.start(self.network.params)
        self._slot_names = tuple(start)
        # Keras would save a list of variables a second time: a layer owns them.
        self._slots = keras.layers.Layer(name="slots", autocast=False)
        self._slots.built = True
        for name, slot in start.items() if self.carry_slots else ():
            variable = self._slots.add_weight(
                shape=slot.shape, dtype=slot.dtype.name, trainable=False, name=name
            )
            variable.assign(slot)

    @property
    def carried_variables(self) -> dict[str, keras.Variable]:
        return dict(zip(self._slot_names, self._slots.non_trainable_variables))

    @property
    def evaluation_steps(self) -> int:
        return self._evaluation_steps or self.inner_steps

    @evaluation_steps.setter
    def evaluation_steps(self, steps: int | None) -> None:
        self._evaluation_steps = steps

    def inner_rates(self) -> dict[str, Any]:
        """Returns the inner learning rates by weight."""
        return dict(self._rates)

    # One task.

    def initial_state(self, context: Context | None = None) -> Params:
        """Returns the state before adaptation: weights, the optimizer's slots, steps, an order."""
        weights = self.network.params
        training = context is not None and context.training
        # The same batches for the full network and all sub-networks of a task.
        order = context.task_key if training else fold(key(self.seed), "evaluation")
        carried = read(self.carried_variables)
        return {
            **weights,
            **(carried if self.carry_slots else self.inner_optimizer.start(weights)),
            "steps_taken": tf.constant(0),
            "order": order,
        }

    def adapt_state(
        self,
        state: Params,
        support_x: tf.Tensor,
        support_y: tf.Tensor,
        context: Context,
        steps: int | tf.Tensor | None = None,
    ) -> Params:
        if steps is None:
            steps = self.inner_steps if context.training else self.evaluation_steps
        size = self.inner_batch
        if not context.training and self.evaluation_batch:
            size = self.evaluation_batch
        taken, task = state["steps_taken"], self.task_state(support_y)
        read_params = self.read_params

        def loss(weights, step, captured):
            number, order = taken + step, state["order"]
            x, y = batch_of(support_x, support_y, size, number, order, self.draw)
            with self.scope(read_params):
                return self._batch_loss(weights, x, y, task, context.at("support", step, labels=y))

        weights, slots = descend(
            loss,
            select(state, self.network.variables),
            self._rates,
            steps,
            first_order=True,
            on_gradients=context.inner_gradients,
            optimizer=self.inner_optimizer,
            slots=select(state, self._slot_names),
        )
        adapted = {**state, **weights, **slots, "steps_taken": taken + steps, **task}
        if context.statistics == batch_statistics.SUPPORT:
            at_the_end = context.at("statistics", labels=support_y)
            adapted.update(self.network(weights, support_x, at_the_end)[1])
        return adapted

    def draw(
        self, examples: tf.Tensor, size: int, number: int | tf.Tensor, key: tf.Tensor
    ) -> tf.Tensor:
        """Draws the examples of an inner batch; override it to give your own.

        Args:
            examples: int32 scalar, the number of examples in the support set.
            size: int, examples of a batch.
            number: int32 scalar, of the batch within its task, from 0.
            key: stateless key, `[2]`, of the task: `learner.task_key(episode)` in training.

        Returns:
            The numbers of the examples, int32 `[size]`.
        """
        return shuffled(examples, size, number, key)

    def _batch_loss(self, weights, x, y, task, context):
        outputs, _ = self.network(weights, x, context)
        loss = self.support_loss(outputs, y, task)
        if self.inner_reduction == "sum":
            loss *= tf.cast(tf.shape(x)[0], loss.dtype)
        return loss

    def adapted_state(
        self, support_x: tf.Tensor, support_y: tf.Tensor, statistics: str | None = None
    ) -> Params:
        state = super().adapted_state(support_x, support_y, statistics)
        return without(state, {*self._slot_names, "steps_taken", "order"})

    # Its meta-gradient.

    def task_gradient(
        self, theta: Params, episode: Episode, context: Context, coupling: dict | None = None
    ) -> TaskGradient:
        """Computes one task's meta-gradient: initial minus adapted weights, zero where pruned."""
        acting = self.acting_regularizers(context)
        with self.scope(theta):
            run = TaskRun.of(self, episode, acting, context, coupling)
            # Both ends pruned: momentum may have moved entries that had no gradient.
            initial, end = (
                self.network.transformed(replace(self.network.params, state), context)
                for state in ({}, run.adapted)
            )
            outcome, statistics = run.plain_outcome, run.statistics
        difference = {name: weight - end[name] for name, weight in initial.items()}
        slots = select(run.adapted, self._slot_names) if self.carry_slots else {}
        return TaskGradient(difference, outcome, statistics, slots)

    def weight_gradient(self, theta: Params, episode: Episode) -> tuple[Params, Outcome]:
        """Differentiates the loss of a task's first inner batch at the weights before adaptation.

        Args:
            theta: the meta-learned parameters, by name.
            episode: `Episode` of one task.

        Returns:
            The gradients by the names of the network's weights, and the queries' `Outcome`.
        """
        with self.scope(theta):
            weights, order = self.network.params, self.task_key(episode)
        support = episode.support_x, episode.support_y
        x, y = batch_of(*support, self.inner_batch, 0, order, self.draw)
        task = self.task_state(episode.support_y)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            with self.scope({**theta, **weights}):
                loss = self._batch_loss(weights, x, y, task, Context(training=True))
        gradients = connected(tape.gradient(loss, weights))
        return gradients, initial_outcome(self, theta, episode)
