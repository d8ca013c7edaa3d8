"""Reptile: move the weights toward where inner steps take them."""

import functools

import keras
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.inner_loop import connected, descend
from tfmgaug.inner_optimizers import Adam, InnerOptimizer
from tfmgaug.learners import inner_rates
from tfmgaug.learners.inner_batches import batch_of
from tfmgaug.learners.meta_learner import MetaLearner
from tfmgaug.learners.settings import positive
from tfmgaug.learners.variables import values
from tfmgaug.randomness import fold, key

_REDUCTIONS = ("mean", "sum")
# Hooks that change an outer loss, which Reptile doesn't have, or where inner steps end.
_REFUSED_HOOKS = ("averaged", "correct", "couple", "outcome", "penalty")


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
        inner_optimizer: `tfmgaug.inner_optimizers.InnerOptimizer`; None: `Adam(beta_1=0.0)`, the
            authors'.
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
        backbone,
        *,
        inner_steps=8,
        inner_learning_rate=1e-3,
        inner_optimizer=None,
        inner_batch=None,
        evaluation_steps=None,
        evaluation_batch=None,
        inner_reduction="mean",
        carry_slots=False,
        **kwargs,
    ):
        self.inner_steps = positive("inner_steps", inner_steps)
        self._evaluation_steps = positive("evaluation_steps", evaluation_steps, optional=True)
        self.inner_batch = positive("inner_batch", inner_batch, optional=True)
        self.evaluation_batch = positive("evaluation_batch", evaluation_batch, optional=True)
        self.inner_optimizer = Adam(beta_1=0.0) if inner_optimizer is None else inner_optimizer
        if not isinstance(self.inner_optimizer, InnerOptimizer):
            raise TypeError(
                "`inner_optimizer` must be of tfmgaug.inner_optimizers. "
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
        variables = dict(zip(self.weight_names, self.backbone.trainable_variables))
        return inner_rates.build(self.add_weight, layers, variables, rate, "no")

    @property
    def changeable(self):
        at_least_one = {
            name: functools.partial(positive, name, optional=name != "inner_steps")
            for name in ("inner_steps", "inner_batch", "evaluation_steps", "evaluation_batch")
        }
        rate = {"inner_learning_rate": lambda rate: self._build_rates(rate) and rate}
        changeable = {**super().changeable, **at_least_one, **rate}
        if self.carry_slots:
            del changeable["parallel_tasks"]
        return changeable

    def setting_changed(self, name):
        super().setting_changed(name)
        if name == "inner_learning_rate":
            self._rates = self._build_rates(self.inner_learning_rate)

    def _refuse_misfits(self):
        for one in self.regularizers:
            hooks = [hook for hook in _REFUSED_HOOKS if one.overrides(hook)]
            if hooks:
                raise ValueError(
                    "Reptile has no outer loss that a regularizer could change, and learns from "
                    "where inner steps end. "
                    f"Received: {type(one).__name__}."
                )
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if self.carry_slots and (self.parallel_tasks > 1 or replicas > 1):
            raise ValueError(
                "carry_slots=True runs tasks one after another: it needs parallel_tasks=1 and one "
                f"replica. Received: parallel_tasks={self.parallel_tasks}, {replicas} replica(s)."
            )

    def _build_slots(self):
        start = self.inner_optimizer.start(values(self.backbone.trainable_variables))
        self._slot_names = [f"slot_{number}" for number in range(len(start))]
        # Keras would save a list of variables a second time: a layer owns them.
        self._slots = keras.layers.Layer(name="slots", autocast=False)
        self._slots.built = True
        for name, slot in zip(self._slot_names, start if self.carry_slots else []):
            variable = self._slots.add_weight(
                shape=slot.shape, dtype=slot.dtype.name, trainable=False, name=name
            )
            variable.assign(slot)

    @property
    def carried_variables(self):
        return self._slots.non_trainable_variables

    @property
    def evaluation_steps(self):
        return self._evaluation_steps or self.inner_steps

    @evaluation_steps.setter
    def evaluation_steps(self, steps):
        self._evaluation_steps = steps

    def inner_rates(self):
        """Returns the inner learning rates by weight."""
        return dict(self._rates)

    # One task.

    def start(self):
        """Returns the state before adaptation: weights, the optimizer's slots, steps, an order."""
        return self._start(fold(key(self.seed), "evaluation"))

    def _start(self, order):
        weights = values(self.backbone.trainable_variables)
        fresh = None if self.carry_slots else self.inner_optimizer.start(weights)
        slots = values(self.carried_variables) if fresh is None else fresh
        return {
            **dict(zip(self.weight_names, weights)),
            **dict(zip(self._slot_names, slots)),
            "steps_taken": tf.constant(0),
            "order": order,
        }

    def adapt_state(
        self,
        state,
        support_x,
        support_y,
        steps=None,
        prune=None,
        statistics=None,
        noise=None,
        training=False,
    ):
        steps = self.evaluation_steps if steps is None else steps
        size = self.evaluation_batch or self.inner_batch
        return self._adapt(
            state, support_x, support_y, steps, size, prune, statistics, noise, training
        )

    def adapt_in_training(self, run, steps=None):
        steps = self.inner_steps if steps is None else steps
        return self._adapt(
            # The same batches for the full network and all sub-networks.
            self._start(self._task_key(run.episode)),
            run.episode.support_x,
            run.episode.support_y,
            steps,
            self.inner_batch,
            run.prune,
            self.training_mode,
            run.noise,
            training=True,
        )

    def _adapt(self, state, x, y, steps, size, prune, mode, noise, training):
        taken = state["steps_taken"]
        read, task = values(self._variables), self.task_state(y)

        def loss(weights, step):
            own_x, own_y = batch_of(x, y, size, taken + step, state["order"])
            with self._scope(read):
                own_noise = noise and noise.at("support", step, labels=own_y)
                return self._batch_loss(weights, own_x, own_y, task, prune, own_noise, training)

        weights, slots = descend(
            loss,
            [state[name] for name in self.weight_names],
            [self._rates[name] for name in self.weight_names],
            steps,
            first_order=True,
            on_gradients=noise and (lambda g, step: noise.at(step).inner_gradients(g)),
            optimizer=self.inner_optimizer,
            slots=[state[name] for name in self._slot_names],
            names=self.weight_names,
        )
        adapted = {
            **state,
            **dict(zip(self.weight_names, weights)),
            **dict(zip(self._slot_names, slots)),
            "steps_taken": taken + steps,
            **task,
        }
        if (mode or self.statistics) == batch_statistics.SUPPORT:
            own_noise = noise and noise.at("statistics", labels=y)
            _, new = self.forward(weights, x, prune, noise=own_noise, training=training)
            adapted.update(zip(self.statistics_names, new))
        return adapted

    def _batch_loss(self, weights, x, y, task, prune=None, noise=None, training=True):
        outputs, _ = self.forward(weights, x, prune, noise=noise, training=training)
        loss = self.support_loss(outputs, y, task)
        if self.inner_reduction == "sum":
            loss *= tf.cast(tf.shape(x)[0], loss.dtype)
        return loss

    def adapted_state(self, support_x, support_y, statistics=None):
        state = super().adapted_state(support_x, support_y, statistics)
        left = {*self._slot_names, "steps_taken", "order"}
        return {name: part for name, part in state.items() if name not in left}

    # Its meta-gradient.

    def meta_gradient(self, theta, episode, prune=None, own_key=None, coupling=None):
        """Computes one task's meta-gradient: initial minus adapted weights.

        Args:
            theta: list of tensors aligned with `meta_variables`.
            episode: `Episode` of one task.
            prune: function from weights to weights, or None for the full network.
            own_key: stateless key, `[2]`; None: the task's at this step.
            coupling: of regularizers that couple tasks: there are none here.

        Returns:
            The differences aligned with `theta`, zero where the network is pruned, the queries'
            `Outcome`, and their statistics.
        """
        return self._learn(theta, episode, prune, own_key, coupling)[:3]

    def _learn(self, theta, episode, prune=None, own_key=None, coupling=None):
        acting = [one for one in self.regularizers if prune is None or one.subnetworks]
        with self._scope(theta):
            run = self.training_run(acting, episode, prune, own_key, coupling)
            # Both ends pruned: momentum may have moved entries that had no gradient.
            ends = [self.pruned(self.weights_of(state), prune) for state in ({}, run.adapted)]
            outcome, statistics = run.plain_outcome, run.statistics
        slots = [run.adapted[name] for name in self._slot_names]
        return [initial - end for initial, end in zip(*ends)], outcome, statistics, slots

    def _task(self, theta, episode, coupling=None):
        *found, slots = self._learn(theta, episode, coupling=coupling)
        augmented = self._augmented(theta, episode, coupling, *found)
        return *augmented, slots if self.carry_slots else []

    def weight_gradient(self, theta, episode):
        """Differentiates the loss of a task's first inner batch at the weights before adaptation.

        Args:
            theta: list of tensors aligned with `meta_variables`.
            episode: `Episode` of one task.

        Returns:
            The gradients aligned with the backbone's trainable variables, and the queries'
            `Outcome`.
        """
        read = self._read(theta)
        weights = self.weights_in(read)
        with self._scope(read):
            order = self._task_key(episode)
        x, y = batch_of(episode.support_x, episode.support_y, self.inner_batch, 0, order)
        task = self.task_state(episode.support_y)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            with self._scope(read):
                loss = self._batch_loss(weights, x, y, task)
        gradients = connected(tape.gradient(loss, weights), self.weight_names)
        return gradients, self._outcome_before(theta, episode)

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        return {
            **super().get_config(),
            "inner_steps": self.inner_steps,
            "inner_learning_rate": self.inner_learning_rate,
            "inner_optimizer": keras.saving.serialize_keras_object(self.inner_optimizer),
            "inner_batch": self.inner_batch,
            "evaluation_steps": self._evaluation_steps,
            "evaluation_batch": self.evaluation_batch,
            "inner_reduction": self.inner_reduction,
            "carry_slots": self.carry_slots,
        }

    @classmethod
    def from_config(cls, config):
        """Builds the learner from `get_config`'s result."""
        inner = keras.saving.deserialize_keras_object(config["inner_optimizer"])
        return super().from_config({**config, "inner_optimizer": inner})
