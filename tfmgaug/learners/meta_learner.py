"""The base of all learners: one outer step over a batch of tasks."""

import functools
import re

import keras
import numpy as np
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones import preparation
from tfmgaug.episode import Outcome
from tfmgaug.inner_loop import connected
from tfmgaug.learners.adapted import Adapted, check_support
from tfmgaug.learners.batches import to_episodes
from tfmgaug.learners.outer_loop import mean_over_tasks
from tfmgaug.randomness import fold, key

_RUNNING_MOMENTUM = 0.9


class MetaLearner(keras.Model):
    """A Keras model that owns a backbone and learns over tasks.

    One outer step over T tasks: `g = 1/T sum_t g_t`, and the optimizer applies `g` to
    `meta_variables`. Subclasses say how one task is learned (`start`, `adapt_state`, `read_out`) by
    passing a *state* around: a dictionary of named tensors (adapted weights, prototypes, statistics)
    that is also what `adapt` exports.

    Args:
        backbone: a functional `keras.Model`. Keras's BatchNormalization in it is replaced by
            `tfmgaug.layers.BatchNormalization`, whose second-order gradients are exact.
        loss: "cross_entropy", "mean_squared_error", or a `keras.losses.Loss`; averaged over
            examples.
        statistics: what batch normalization uses for queries: "transductive", "support" or
            "running"; see `tfmgaug.batch_statistics.check_mode`.
        augmentation: `MGAug` or None.
        measure_before: whether training reports loss and accuracy before adaptation, the gauge of
            memorization. It costs a forward pass over the queries, unless a catfish mask makes that
            pass anyway.
        parallel_tasks: int >= 1, how many tasks of a batch may be computed side by side. Memory
            grows with it and not with the batch.
        seed: int, of all random draws.
        name: str.

    Raises:
        TypeError: the backbone is no functional model, or the loss no loss.
        ValueError: an argument is out of range, or a layer can't be used.
    """

    inner_steps = 0
    second_order = False

    def __init__(
        self,
        backbone,
        *,
        loss="cross_entropy",
        statistics="transductive",
        augmentation=None,
        measure_before=True,
        parallel_tasks=4,
        seed=0,
        name=None,
    ):
        super().__init__(name=name, autocast=False)
        if parallel_tasks < 1:
            raise ValueError(f"`parallel_tasks` must be at least 1. Received: {parallel_tasks}.")
        self.backbone = preparation.prepare(backbone, self.second_order)
        self.loss_fn = losses.get(loss)
        self.statistics = batch_statistics.check_mode(statistics)
        self.augmentation = augmentation
        self.measure_before = measure_before
        self.parallel_tasks = parallel_tasks
        self.seed = seed
        self.weight_names = _names(self.backbone.trainable_variables)
        self.statistics_names = _names(self.backbone.non_trainable_variables)
        if augmentation is not None:
            augmentation.attach(self.backbone, self.classifier)
        # Saved, unlike optimizer.iterations, which stands still under gradient accumulation.
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="step",
            aggregation="only_first_replica",
        )
        self._trackers = {}
        self._functions = {}
        self.built = True

    # What a subclass says.

    @property
    def classifier(self):
        """The backbone's layer that makes the logits; None if it only embeds."""
        return preparation.classifier_of(self.backbone)

    @property
    def way(self):
        """The number of outputs; None if the support set decides."""
        return self.backbone.output_shape[-1]

    @property
    def meta_variables(self):
        """The variables that the outer loop learns, in the order of `meta_gradients`."""
        return list(self.backbone.trainable_variables)

    def start(self):
        """Returns the state before adaptation: a dictionary of tensors."""
        return {}

    def adapt_state(self, state, support_x, support_y, steps=None, prune=None, statistics=None):
        """Adapts to a support set; one step at a time gives the same as all at once.

        Args:
            state: dictionary of tensors, from `start` or from an earlier call.
            support_x: inputs of one task, `[way * shot, ...]`.
            support_y: labels or targets of one task.
            steps: number of inner steps, an integer or int32 scalar; None: `inner_steps`.
            prune: function from the backbone's weights to those of a sub-network, or None.
            statistics: a mode; None: the learner's own.

        Returns:
            The new state.
        """
        raise NotImplementedError

    def read_out(self, outputs, state):
        """Turns the backbone's outputs `[n, outputs]` into logits `[n, way]`."""
        return outputs

    # One task.

    def forward(self, weights, x, prune=None, statistics=None, training=True, model=None):
        """Calls the backbone with given weights: the only place where that happens.

        Args:
            weights: list aligned with the backbone's trainable variables.
            x: `[n, ...]`.
            prune: function from weights to weights, or None.
            statistics: list aligned with the backbone's non-trainable variables; None: their values.
            training: whether to normalize by the statistics of `x`.
            model: a part of the backbone, made of its layers; None: the whole.

        Returns:
            Outputs `[n, outputs]` in float32 or better, and the statistics of `x`.
        """
        if prune is not None:
            weights = prune(weights)
        if statistics is None:
            statistics = _values(self.backbone.non_trainable_variables)
        if model is None:
            model, x = self.backbone, tf.cast(x, self.backbone.inputs[0].dtype)
        else:
            weights = _aligned(
                weights, self.backbone.trainable_variables, model.trainable_variables
            )
            statistics = _aligned(
                statistics, self.backbone.non_trainable_variables, model.non_trainable_variables
            )
        outputs, new = model.stateless_call(weights, statistics, x, training=training)
        return _at_least_float32(outputs), new

    def weights_of(self, state):
        """Returns the backbone's weights, adapted where the state says so."""
        current = _values(self.backbone.trainable_variables)
        return [state.get(name, value) for name, value in zip(self.weight_names, current)]

    def predict_state(self, state, x, prune=None, statistics=None):
        """Predicts with an adapted state.

        Args:
            state: from `adapt_state`, with the same mode.
            x: inputs of one task, `[n, ...]`.
            prune: as in `adapt_state`.
            statistics: as in `adapt_state`.

        Returns:
            Logits `[n, way]`, or values `[n, outputs]`.
        """
        return self._query(state, x, prune, statistics or self.statistics)[0]

    def _query(self, state, x, prune, mode):
        given = None
        if mode == batch_statistics.SUPPORT:
            given = [state[name] for name in self.statistics_names]
        outputs, new = self.forward(
            self.weights_of(state), x, prune, given, training=mode == batch_statistics.TRANSDUCTIVE
        )
        return self.read_out(outputs, state), new

    def outcome(self, logits, targets):
        """Measures predictions.

        Args:
            logits: `[n, way]`.
            targets: labels `[n]`, or values.

        Returns:
            An `Outcome` of scalars.
        """
        loss = losses.mean_loss(self.loss_fn, targets, logits)
        return Outcome(loss, losses.accuracy(targets, logits) if self.classification else None)

    @property
    def classification(self):
        """Whether labels are integers and accuracy has a meaning."""
        return losses.is_classification(self.loss_fn)

    @property
    def _training_mode(self):
        # Running averages are made of query batches, so these normalize themselves in training.
        running = self.statistics == batch_statistics.RUNNING
        return batch_statistics.TRANSDUCTIVE if running else self.statistics

    def _scope(self, theta):
        return keras.StatelessScope(state_mapping=list(zip(self.meta_variables, theta)))

    def meta_gradient(self, theta, episode, prune=None):
        """Differentiates one task's query loss after adaptation.

        Args:
            theta: list of tensors aligned with `meta_variables`.
            episode: `Episode` of one task.
            prune: function from weights to weights, or None for the full network.

        Returns:
            The gradients aligned with `theta`, the `Outcome`, and the query batch's statistics.
        """
        mode = self._training_mode
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(theta)
            with self._scope(theta):
                state = self.adapt_state(
                    self.start(), episode.support_x, episode.support_y, None, prune, mode
                )
                logits, statistics = self._query(state, episode.query_x, prune, mode)
                outcome = self.outcome(logits, episode.query_y)
        gradients = tape.gradient(outcome.loss, theta)
        return connected(gradients, _names(self.meta_variables)), outcome, statistics

    def weight_gradient(self, theta, episode):
        """Differentiates one task's query loss at the weights before adaptation.

        Args:
            theta: list of tensors aligned with `meta_variables`.
            episode: `Episode` of one task.

        Returns:
            The gradients aligned with the backbone's trainable variables, and the `Outcome`.

        Reference:
            Wang et al., MGAug, Eq. 5.
        """
        weights = theta[: len(self.weight_names)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outcome = self._outcome_before(theta, episode)
        return connected(tape.gradient(outcome.loss, weights), self.weight_names), outcome

    def _outcome_before(self, theta, episode):
        mode = self._training_mode
        with self._scope(theta):
            state = self.adapt_state(
                self.start(), episode.support_x, episode.support_y, 0, None, mode
            )
            return self.outcome(self._query(state, episode.query_x, None, mode)[0], episode.query_y)

    @property
    def _measures_before(self):
        scored = self.augmentation is not None and self.augmentation.mask.score == "query_loss"
        return self.inner_steps > 0 and (self.measure_before or scored)

    def _before_adaptation(self, theta, episode, gradients):
        """Returns the gradients that a mask scores by, and the outcome before adaptation."""
        if self.augmentation is not None and self.augmentation.mask.score == "query_loss":
            return self.weight_gradient(theta, episode)
        before = self._outcome_before(theta, episode) if self._measures_before else None
        return gradients[: len(self.weight_names)], before

    def _task(self, theta, episode):
        gradients, after, statistics = self.meta_gradient(theta, episode)
        scoring, before = self._before_adaptation(theta, episode, gradients)
        if self.augmentation is not None:
            step = tf.convert_to_tensor(self.step)
            gradients = self.augmentation.augment(
                gradients,
                lambda own, prune: self.meta_gradient(theta, own, prune)[0],
                theta[: len(self.weight_names)],
                scoring,
                episode,
                step,
                fold(key(self.seed), step, episode.index),
            )
        measures = {**after.named(), **(before.named("_before") if self._measures_before else {})}
        return gradients, statistics, {n: tf.cast(v, tf.float32) for n, v in measures.items()}

    # A batch of tasks.

    def meta_gradients(self, batch):
        """Computes the meta-gradients of a batch of tasks and applies nothing.

        Args:
            batch: `({"support_x", "support_y", "query_x", "index"}, query_y)` with a leading task
                axis.

        Returns:
            A list of tensors aligned with `meta_variables`, averaged over tasks.

        Example:
            >>> gradients = learner.meta_gradients(next(iter(episodes.dataset())))
        """
        return self._outer_gradients(to_episodes(batch))[0]

    def _outer_gradients(self, episodes):
        theta = _values(self.meta_variables)
        running = _values(self._running_variables)

        def task(episode):
            gradients, statistics, measures = self._task(theta, episode)
            return gradients + statistics[: len(running)], measures

        means, measures = mean_over_tasks(
            task, episodes, theta + running, self._training_measures(), self.parallel_tasks
        )
        return means[: len(theta)], means[len(theta) :], measures

    def train_step(self, data):
        gradients, statistics, measures = self._outer_gradients(to_episodes(data))
        # The optimizer adds up the replicas' gradients, of which each is a mean.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.optimizer.apply([g / replicas for g in gradients], self.meta_variables)
        for variable, new in zip(self._running_variables, statistics):
            variable.assign(_RUNNING_MOMENTUM * variable + (1 - _RUNNING_MOMENTUM) * new)
        self.step.assign_add(1)
        return self._track(measures)

    def test_step(self, data):
        outcomes = tf.map_fn(
            lambda episode: self.step_outcomes(episode).named(),
            to_episodes(data),
            fn_output_signature=dict.fromkeys(self._outcome_names, tf.float32),
            parallel_iterations=self.parallel_tasks,
        )
        measures = {name: values[:, -1] for name, values in outcomes.items()}
        if self.inner_steps:
            for name, values in outcomes.items():  # [tasks, inner_steps + 1]
                measures[f"{name}_before"] = values[:, 0]
                for step in range(self.inner_steps + 1):
                    measures[f"{name}_step_{step}"] = values[:, step]
        return self._track(measures)

    def call(self, inputs, training=False):
        parts = tuple(inputs[name] for name in ("support_x", "support_y", "query_x"))
        return tf.map_fn(
            lambda task: self.probabilities(self.adapted_state(task[0], task[1]), task[2]),
            parts,
            fn_output_signature=tf.float32,
            parallel_iterations=self.parallel_tasks,
        )

    @property
    def _running_variables(self):
        running = self.statistics == batch_statistics.RUNNING
        return self.backbone.non_trainable_variables if running else []

    @property
    def _outcome_names(self):
        return ["loss", "accuracy"] if self.classification else ["loss"]

    def _training_measures(self):
        suffixes = ["", "_before"] if self._measures_before else [""]
        return [name + suffix for suffix in suffixes for name in self._outcome_names]

    def _evaluation_measures(self):
        suffixes = [""]
        if self.inner_steps:
            suffixes += ["_before", *(f"_step_{n}" for n in range(self.inner_steps + 1))]
        return [name + suffix for suffix in suffixes for name in self._outcome_names]

    def _track(self, measures):
        for name, values in measures.items():
            self._trackers[name].update_state(values)
        return {name: self._trackers[name].result() for name in measures}

    @property
    def metrics(self):
        return list(self._trackers.values())

    # Use.

    def step_outcomes(self, episode, statistics=None):
        """Measures a task's queries before adaptation and after each inner step.

        Args:
            episode: `Episode` of one task.
            statistics: a mode; None: the learner's own.

        Returns:
            An `Outcome` of tensors `[inner_steps + 1]`.
        """
        mode = statistics or self.statistics

        def adapt(state, steps):
            return self.adapt_state(state, episode.support_x, episode.support_y, steps, None, mode)

        def measure(step, state, arrays):
            logits = self.predict_state(state, episode.query_x, None, mode)
            measured = self.outcome(logits, episode.query_y).named()
            return {
                name: array.write(step, tf.cast(measured[name], tf.float32))
                for name, array in arrays.items()
            }

        def advance(step, state, arrays):
            state = adapt(state, 1)
            return step + 1, state, measure(step, state, arrays)

        arrays = {
            name: tf.TensorArray(tf.float32, self.inner_steps + 1, element_shape=[])
            for name in self._outcome_names
        }
        state = adapt(self.start(), 0)
        loop = (tf.constant(1), state, measure(0, state, arrays))
        if self.inner_steps:
            loop = tf.while_loop(
                lambda step, *_: step <= self.inner_steps, advance, loop, parallel_iterations=1
            )
        return Outcome(**{"accuracy": None, **{n: array.stack() for n, array in loop[2].items()}})

    def adapted_state(self, support_x, support_y, statistics=None):
        """Adapts to one task, from the start, and notes which classes have support.

        Args:
            support_x: `[n, ...]`.
            support_y: `[n]` labels, or targets.
            statistics: a mode; None: the learner's own.

        Returns:
            The state, with "classes" (bool, `[way]`) for classification.
        """
        state = self.adapt_state(self.start(), support_x, support_y, None, None, statistics)
        if self.classification:
            way = tf.reduce_max(support_y) + 1 if self.way is None else self.way
            present = tf.one_hot(support_y, way, on_value=True, off_value=False, dtype=tf.bool)
            state["classes"] = tf.reduce_any(present, axis=0)
        return state

    def probabilities(self, state, x, statistics=None):
        """Predicts with the result of `adapted_state`.

        Args:
            state: from `adapted_state`, with the same mode.
            x: `[n, ...]`.
            statistics: a mode; None: the learner's own.

        Returns:
            Probabilities `[n, way]`, zero for classes without support; or values `[n, outputs]`.
        """
        outputs = self.predict_state(state, x, None, statistics)
        if not self.classification:
            return outputs
        return tf.nn.softmax(tf.where(state["classes"], outputs, outputs.dtype.min))

    def adapt(self, support_x, support_y, statistics=None):
        """Adapts to a support set.

        Args:
            support_x: `[n, height, width, channels]` for images, in 0-255.
            support_y: `[n]` integer labels from 0, or targets.
            statistics: "transductive", "support" or "running"; None: the learner's own.

        Returns:
            An `Adapted`, whose `predict(query_x)` gives probabilities `[n, way]`.

        Raises:
            ValueError: shapes or labels do not fit.

        Example:
            >>> learner.adapt(support_x, support_y).predict(query_x)
        """
        support_x, support_y = np.asarray(support_x), np.asarray(support_y)
        check_support(self, support_x, support_y)
        mode = batch_statistics.check_mode(statistics or self.statistics)
        if self.classification:
            support_y = support_y.astype("int32")
        state = self._function("adapted_state", mode)(support_x, support_y)
        return Adapted(self, state, self._function("probabilities", mode), mode)

    def export(self, path, **options):
        """Writes a SavedModel that adapts itself; see `tfmgaug.export`."""
        from tfmgaug.export import export  # which stands above the learners

        return export(self, path, **options)

    @property
    def example_shape(self):
        """The shape of one example, None where any size fits."""
        return tuple(self.backbone.inputs[0].shape[1:])

    @property
    def image_shape(self):
        """The shape of one example that the backbone was made for."""
        return preparation.image_shape_of(self.backbone)

    def _function(self, method, mode):
        # One graph per method and mode, for any number of examples.
        if (method, mode) not in self._functions:
            bound = functools.partial(getattr(self, method), statistics=mode)
            self._functions[method, mode] = tf.function(bound, reduce_retracing=True)
        return self._functions[method, mode]

    # Keras.

    def compile(self, optimizer="adam", steps_per_execution=1, run_eagerly=False, **unsupported):
        """Sets the outer optimizer.

        Args:
            optimizer: Keras optimizer, with any schedule.
            steps_per_execution: outer steps per call of the graph.
            run_eagerly: bool, for debugging.
            **unsupported: `loss` is a constructor argument, metrics are built in, and XLA is off,
                because max pooling is wrong under it at second order.

        Raises:
            ValueError: an unsupported argument is given.
        """
        given = sorted(name for name, value in unsupported.items() if value)
        if given:
            raise ValueError(
                "`compile` takes `optimizer`, `steps_per_execution` and `run_eagerly`: the loss is a "
                "constructor argument, metrics are built in, and XLA gets second-order gradients of "
                f"max pooling wrong. Received: {', '.join(given)}."
            )
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            jit_compile=False,
        )
        _refuse_clipping(self.optimizer)
        names = {
            **dict.fromkeys(self._training_measures()),
            **dict.fromkeys(self._evaluation_measures()),
        }
        self._trackers = {name: keras.metrics.Mean(name) for name in names}
        # Slots must exist before weights are loaded into them, and before `fit` traces its step.
        self.optimizer.build(self.meta_variables)

    def compile_from_config(self, config):
        """Compiles as `.keras` files remember it."""
        self.compile(optimizer=keras.optimizers.deserialize(config["optimizer"]))

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "loss": keras.saving.serialize_keras_object(self.loss_fn),
            "statistics": self.statistics,
            "augmentation": self.augmentation
            and keras.saving.serialize_keras_object(self.augmentation),
            "measure_before": self.measure_before,
            "parallel_tasks": self.parallel_tasks,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        """Builds the learner from `get_config`'s result."""
        nested = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("backbone", "loss", "augmentation")
            if config[name] is not None
        }
        return cls(**{**config, **nested})


def _refuse_clipping(optimizer):
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    clipping = ("clipnorm", "clipvalue", "global_clipnorm")
    given = [name for name in clipping if getattr(optimizer, name, None) is not None]
    if replicas > 1 and given:
        raise ValueError(
            "Keras clips each replica's gradient before adding them up, which is not the clipped "
            f"meta-gradient. Clip on one device. Received: {given} with {replicas} replicas."
        )


def _values(variables):
    return [tf.convert_to_tensor(variable) for variable in variables]


def _aligned(values, variables, wanted):
    by_variable = {id(variable): value for variable, value in zip(variables, values)}
    return [by_variable[id(variable)] for variable in wanted]


def _at_least_float32(tensor):
    return tf.cast(tensor, tf.float32) if tensor.dtype.size < 4 else tensor


def _names(variables):
    """Names that serve as arguments of an exported function: "conv1/kernel" -> "conv1_kernel"."""
    names = [re.sub(r"\W+", "_", variable.path) for variable in variables]
    if len(set(names)) < len(names):
        raise ValueError(f"Expected layers of different names. Received weights {names}.")
    return names
