"""The base of all learners: a Keras model that learns over tasks."""

import functools

import keras
import numpy as np
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones import preparation
from tfmgaug.engine import prediction, replicas
from tfmgaug.engine.batch import BatchGradient, batch_gradient
from tfmgaug.engine.context import Context
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params
from tfmgaug.learners.adapted import Adapted, check_support
from tfmgaug.learners.batches import to_episodes
from tfmgaug.learners.method import Method
from tfmgaug.masks.magnitude import MagnitudeMask
from tfmgaug.regularizers.regularizer import check

_RUNNING_MOMENTUM = 0.9


class MetaLearner(Method, keras.Model):
    """A Keras model that owns a backbone and learns over tasks.

    One outer step over T tasks: `g = 1/T sum_t g_t`, and the optimizer applies `g` to
    `meta_variables`. Subclasses say how one task is learned; see `Method`.

    Args:
        backbone: a functional `keras.Model`. Keras's BatchNormalization in it is replaced by
            `tfmgaug.layers.BatchNormalization`, whose second-order gradients are exact.
        loss: "cross_entropy", "mean_squared_error", or a `keras.losses.Loss`; averaged over
            examples.
        statistics: what batch normalization uses for queries: "transductive", "support", "running"
            or "one_by_one"; see `tfmgaug.batch_statistics.check_mode`.
        augmentation: `MGAug` or None.
        magnitude_mask: `MagnitudeMask`, which callbacks such as `DSD` switch on and off, or None.
        regularizers: list of `tfmgaug.regularizers.Regularizer`, which act in training alone.
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

    def __init__(
        self,
        backbone,
        *,
        loss="cross_entropy",
        statistics="transductive",
        augmentation=None,
        magnitude_mask=None,
        regularizers=(),
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
        self.network = Network(self.backbone)
        if augmentation is not None:
            augmentation.attach(self.network, self.classifier)
        self.magnitude_mask = self._attached(magnitude_mask)
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
        self.regularizers = check(regularizers)
        for regularizer in self.regularizers:
            regularizer.attach(self)

    def _attached(self, magnitude_mask):
        if magnitude_mask is None:
            return None
        if not isinstance(magnitude_mask, MagnitudeMask):
            raise TypeError(
                f"`magnitude_mask` must be a MagnitudeMask. Received: {magnitude_mask!r}."
            )
        if not self.learns_weights:
            raise ValueError(
                "A MagnitudeMask prunes weights by what they have learned to be. Received: "
                f"{type(self).__name__}, which learns no weights."
            )
        magnitude_mask.attach(self.network)
        self.network.transforms.append(magnitude_mask)
        return magnitude_mask

    # A batch of tasks.

    def meta_gradients(self, batch, with_measures=False):
        """Computes the meta-gradients of a batch of tasks and applies nothing.

        Args:
            batch: `({"support_x", "support_y", "query_x", "index"}, query_y)` with a leading task
                axis.
            with_measures: whether to return each task's query loss and accuracy too.

        Returns:
            A dictionary of tensors by the names of `meta_params`, averaged over tasks; with
            `with_measures`, the pair of it and a dictionary of float32 tensors `[tasks]`.

        Example:
            >>> gradients = learner.meta_gradients(next(iter(episodes.dataset())))
            >>> gradients["head_kernel"].shape
        """
        found = self.batch_gradient(batch)
        return (found.gradients, found.measures) if with_measures else found.gradients

    def batch_gradient(self, batch) -> BatchGradient:
        """Checks a batch, and computes all that an outer step learns from it."""
        return batch_gradient(self, to_episodes(batch, self.classification))

    def train_step(self, data):
        learned = self.batch_gradient(data)
        # The optimizer adds up the replicas' gradients, of which each is a mean.
        number = tf.distribute.get_strategy().num_replicas_in_sync
        gradients = [gradient / number for gradient in learned.gradients.values()]
        self.optimizer.apply(gradients, self.meta_variables)
        if self.magnitude_mask is not None:
            # The optimizer's slots go on moving what has no gradient.
            self.magnitude_mask.apply()
        # Averaged before they are blended in, so that replicas round as one device does.
        statistics = replicas.mean(learned.statistics)
        for name, variable in self.running_variables.items():
            blended = _RUNNING_MOMENTUM * variable + (1 - _RUNNING_MOMENTUM) * statistics[name]
            variable.assign(blended)
        for name, variable in self.carried_variables.items():
            variable.assign(learned.carried[name])
        self.step.assign_add(1)
        return self._track(learned.measures)

    def test_step(self, data):
        outcomes = tf.map_fn(
            self.step_outcomes,
            to_episodes(data, self.classification),
            fn_output_signature=dict.fromkeys(self.outcome_names, tf.float32),
            parallel_iterations=self.parallel_tasks,
        )
        measures = {name: values[:, -1] for name, values in outcomes.items()}
        if self.evaluation_steps:
            for name, values in outcomes.items():  # [tasks, evaluation_steps + 1]
                measures[f"{name}_before"] = values[:, 0]
                for step in range(self.evaluation_steps + 1):
                    measures[f"{name}_step_{step}"] = values[:, step]
        return self._track(measures)

    def step_outcomes(self, episode, statistics=None):
        """Measures a task's queries before adaptation and after each inner step.

        Args:
            episode: `Episode` of one task.
            statistics: a mode; None: the learner's own.

        Returns:
            A dictionary of tensors `[evaluation_steps + 1]`: "loss", and "accuracy" for
            classification.
        """
        context = Context(statistics=statistics or self.statistics)
        return prediction.outcomes_per_step(self, episode, self.evaluation_steps, context)

    def call(self, inputs, training=False):
        parts = tuple(inputs[name] for name in ("support_x", "support_y", "query_x"))

        def predict(task):
            support_x, support_y, query_x = task
            state = self.adapted_state(support_x, support_y)
            return tf.cast(self.probabilities(state, query_x), tf.float32)

        return tf.map_fn(
            predict,
            parts,
            fn_output_signature=tf.float32,
            parallel_iterations=self.parallel_tasks,
        )

    def _evaluation_measures(self):
        suffixes = [""]
        if self.evaluation_steps:
            suffixes += ["_before", *(f"_step_{n}" for n in range(self.evaluation_steps + 1))]
        return [name + suffix for suffix in suffixes for name in self.outcome_names]

    def _track(self, measures):
        for name, measured in measures.items():
            self._trackers[name].update_state(measured)
        return {name: self._trackers[name].result() for name in measures}

    @property
    def metrics(self):
        return list(self._trackers.values())

    # Use.

    def adapted_state(self, support_x, support_y, statistics=None) -> Params:
        """Adapts to one task, from the start, and notes which classes have support.

        Args:
            support_x: `[n, ...]`.
            support_y: `[n]` labels, or targets.
            statistics: a mode; None: the learner's own.

        Returns:
            The state, with "classes" (bool, `[way]`) for classification.
        """
        context = Context(statistics=statistics or self.statistics)
        state = prediction.adapt(self, self.initial_state(), support_x, support_y, context)
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
        context = Context(statistics=statistics or self.statistics)
        outputs, _ = prediction.query(self, state, x, context)
        if not self.classification:
            return outputs
        return tf.nn.softmax(tf.where(state["classes"], outputs, outputs.dtype.min))

    def adapt(self, support_x, support_y, statistics=None):
        """Adapts to a support set.

        Args:
            support_x: `[n, height, width, channels]` for images, in 0-255.
            support_y: `[n]` integer labels from 0, or targets.
            statistics: "transductive", "support", "running" or "one_by_one"; None: the learner's
                own.

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
        else:
            support_y = support_y.reshape(len(support_y), -1)  # one column where it is a vector
        state = self._function("adapted_state", mode)(support_x, support_y)
        return Adapted(self, state, self._function("probabilities", mode), mode)

    def export(self, path, **options):
        """Writes a SavedModel that adapts itself; see `tfmgaug.export`."""
        from tfmgaug.export import export  # which stands above the learners

        return export(self, path, **options)

    def mask_sparsity(self):
        """Returns the share pruned of each weight in the sub-network of the highest rate."""
        if self.augmentation is None:
            return {}
        shares = self.augmentation.sparsity(self.network.params)
        return {name: float(share) for name, share in shares.items()}

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
        given = sorted(name for name, value in unsupported.items() if value and value != "auto")
        if given:
            raise ValueError(
                "`compile` takes `optimizer`, `steps_per_execution` and `run_eagerly`: the loss is "
                "a constructor argument, metrics are built in, and XLA gets second-order gradients "
                f"of max pooling wrong. Received: {', '.join(given)}."
            )
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            jit_compile=False,
        )
        _refuse_clipping(self.optimizer)
        names = {
            **dict.fromkeys(self.training_measures),
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
            "magnitude_mask": self.magnitude_mask
            and keras.saving.serialize_keras_object(self.magnitude_mask),
            "regularizers": [keras.saving.serialize_keras_object(one) for one in self.regularizers],
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
            for name in ("backbone", "loss", "augmentation", "magnitude_mask")
            if config.get(name) is not None  # older files lack some
        }
        nested["regularizers"] = [
            keras.saving.deserialize_keras_object(one) for one in config["regularizers"]
        ]
        return cls(**{**config, **nested})


def _refuse_clipping(optimizer):
    number = tf.distribute.get_strategy().num_replicas_in_sync
    clipping = ("clipnorm", "clipvalue", "global_clipnorm")
    given = [name for name in clipping if getattr(optimizer, name, None) is not None]
    if number > 1 and given:
        raise ValueError(
            "Keras clips each replica's gradient before adding them up, which is not the clipped "
            f"meta-gradient. Clip on one device. Received: {given} with {number} replicas."
        )
