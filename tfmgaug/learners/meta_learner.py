"""The base of all learners: one outer step over a batch of tasks."""

import functools

import keras
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.backbones import exactness, head, preparation, tracing
from tfmgaug.learners import first_pass, outer_optimizer, penalties, replicas
from tfmgaug.learners.adapted import Adapted, read_support
from tfmgaug.learners.batches import to_episodes, to_inputs
from tfmgaug.learners.checked_data import CheckedData
from tfmgaug.learners.examples import check_targets
from tfmgaug.learners.outer_loop import mean_over_tasks
from tfmgaug.learners.part_learned import PartLearned
from tfmgaug.learners.settings import Settings, positive
from tfmgaug.learners.task_functions import TaskFunctions
from tfmgaug.learners.trackers import Tracker, as_compiled
from tfmgaug.learners.variables import aligned, names_of, values
from tfmgaug.masks.magnitude import MagnitudeMask
from tfmgaug.regularizers.regularizer import check

_RUNNING_MOMENTUM = 0.9
# What Keras shows of a file that it can't load, first of all: it imports nothing itself.
_TO_LOAD = {"to_load": "import tfmgaug"}


class MetaLearner(CheckedData, Settings, PartLearned, TaskFunctions, keras.Model):
    """A Keras model that owns a backbone and learns over tasks.

    One outer step over T tasks: `g = 1/T sum_t g_t`, and the optimizer applies `g` to
    `meta_variables`. Subclasses say how one task is learned (`LearningRule`), passing a *state*
    around: a dictionary of named tensors (adapted weights, prototypes, statistics) that is also
    what `adapt` exports.

    Penalties of weights that the backbone's layers were built with (`kernel_regularizer`, ...) are
    a part of the outer objective: the meta-gradient gains their gradient at the weights before
    adaptation, once an outer step. Inner loops, sub-networks and the reported loss don't see them.
    Constraints hold after each outer step, and not in inner loops.

    Settings may be assigned later, as `learner.inner_steps = 10`; see `Settings`. To load a
    `.keras` file, `import tfmgaug` before `keras.saving.load_model`.

    Args:
        backbone: a functional `keras.Model`. Keras's BatchNormalization in it is replaced by
            `tfmgaug.layers.BatchNormalization`, whose second-order gradients are exact.
        loss: "cross_entropy", "mean_squared_error", or a `keras.losses.Loss`; averaged over
            examples; see `tfmgaug.losses.get` for which, and for losses of your own.
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
        super().__init__(name=name, autocast=False, dtype=_policy())
        self.backbone = preparation.prepare(backbone)
        penalties.check_converted(backbone, self.backbone)
        self.loss_fn = losses.get(loss)
        self._check_backbone()
        self.statistics = batch_statistics.check_mode(statistics)
        self.augmentation = augmentation
        self.measure_before = measure_before
        self.parallel_tasks = positive("parallel_tasks", parallel_tasks)
        self.seed = seed
        self.weight_names = names_of(self.backbone.trainable_variables)
        self.statistics_names = names_of(self.statistics_variables)
        if augmentation is not None:
            self.check_score(augmentation.mask)
            augmentation.attach(self.backbone, self.classifier)
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
        self.regularizers = tuple(check(regularizers))
        for regularizer in self.regularizers:
            regularizer.attach(self)

    def _check_backbone(self):
        """Refuses a backbone that does what this learner can't use when it is called."""
        traced = tracing.trace(self.backbone)
        tracing.refuse_states(traced)
        if self.second_order:
            self._refuse_inexact(traced)
        if self.classification and self.outputs_logits:
            head.check_logits(self.backbone, traced)

    def _refuse_inexact(self, traced):
        adapting = [v for v in self.backbone.trainable_variables if self.adapts(v)]
        exactness.refuse_inexact(traced, adapting)

    def _settle(self):
        penalties.check(self)
        super()._settle()

    @property
    def changeable(self):
        return {
            "statistics": batch_statistics.check_mode,
            "measure_before": bool,
            "parallel_tasks": functools.partial(positive, "parallel_tasks"),
        }

    def setting_changed(self, name):
        super().setting_changed(name)
        if self.compiled:
            self._make_trackers()

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
        magnitude_mask.attach(self.backbone)
        return magnitude_mask

    # A batch of tasks.

    def meta_gradients(self, batch, with_measures=False):
        """Computes the meta-gradients of a batch of tasks and applies nothing.

        Args:
            batch: `({"support_x", "support_y", "query_x", "index"}, query_y)` with a leading task
                axis.
            with_measures: whether to return each task's query loss and accuracy too.

        Returns:
            A list of tensors aligned with `meta_variables`, averaged over tasks; with
            `with_measures`, the pair of it and a dictionary of float32 tensors `[tasks]`.

        Example:
            >>> gradients = learner.meta_gradients(next(iter(episodes.dataset())))
        """
        self.refuse_other_layers()
        gradients, _, measures, _ = self._outer_gradients(self._read_batch(batch))
        return (gradients, measures) if with_measures else gradients

    def _read_batch(self, data):
        """Checks what training is given, and makes it what `_outer_gradients` takes."""
        return self._read_tasks(data)

    def _read_tasks(self, data):
        episodes = to_episodes(data, self.classification, self.way)
        if not self.classification and episodes.support_y.shape.rank != 2:  # [tasks, n]: a column
            check_targets(self, "support_y", episodes.support_y.shape[2:])
        return episodes

    def _outer_gradients(self, episodes):
        theta = values(self.meta_variables)
        running = values(self._running_variables)
        descents = penalties.descents(self.meta_variables, theta)

        def task(episode, coupling, carried):
            coupling = {**coupling, **averages}
            with self._scope(theta, carried):
                gradients, statistics, measures, carried = self._task(theta, episode, coupling)
            new = aligned(statistics, self.statistics_variables, self._running_variables)
            # To each task, and not to their mean: so rounding is the same on replicas.
            return penalties.add(gradients, descents) + new, measures, carried

        # Variables are read once, here: reading one within the loop would order its iterations.
        with self._scope(theta):
            averages = first_pass.averages(self, episodes, self.parallel_tasks)
            means, measures, carried = mean_over_tasks(
                task,
                (episodes, first_pass.couple(self, episodes, self.parallel_tasks)),
                theta + running,
                self._training_measures(),
                self.parallel_tasks,
                values(self.carried_variables),
            )
        return means[: len(theta)], means[len(theta) :], measures, carried

    def train_step(self, data):
        gradients, statistics, measures, carried = self._outer_gradients(self._read_batch(data))
        replicas.apply(self.optimizer, gradients, self.meta_variables)
        if self.magnitude_mask is not None:
            # The optimizer's slots go on moving what has no gradient.
            self.magnitude_mask.apply_to(self.backbone.trainable_variables)
        if statistics:
            # Averaged before they are blended in, so that replicas round as one device does.
            statistics = replicas.mean(statistics)
        for variable, new in zip(self._running_variables, statistics):
            variable.assign(_RUNNING_MOMENTUM * variable + (1 - _RUNNING_MOMENTUM) * new)
        for variable, new in zip(self.carried_variables, carried):
            variable.assign(new)
        self.step.assign_add(1)
        return self._track(measures)

    def test_step(self, data):
        outcomes = tf.map_fn(
            lambda episode: self.step_outcomes(episode).named(),
            self._read_tasks(data),
            fn_output_signature=dict.fromkeys(self._outcome_names, tf.float32),
            parallel_iterations=self.parallel_tasks,
        )
        measures = {name: values[:, -1] for name, values in outcomes.items()}
        if self.evaluation_steps:
            for name, values in outcomes.items():  # [tasks, evaluation_steps + 1]
                measures[f"{name}_before"] = values[:, 0]
                for step in range(self.evaluation_steps + 1):
                    measures[f"{name}_step_{step}"] = values[:, step]
        return self._track(measures)

    def call(self, inputs, training=False):
        parts = to_inputs(inputs, self.classification, self.way)

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

    @property
    def _running_variables(self):
        running = self.statistics == batch_statistics.RUNNING
        return self.statistics_variables if running else []

    def _training_measures(self):
        suffixes = ["", "_before"] if self._measures_before else [""]
        return [name + suffix for suffix in suffixes for name in self._outcome_names]

    def _evaluation_measures(self):
        suffixes = [""]
        if self.evaluation_steps:
            suffixes += ["_before", *(f"_step_{n}" for n in range(self.evaluation_steps + 1))]
        return [name + suffix for suffix in suffixes for name in self._outcome_names]

    def _track(self, measures):
        for name, measured in measures.items():
            self._trackers[name].update_state(measured)
        return {name: self._trackers[name].result() for name in measures}

    @property
    def metrics(self):
        return as_compiled(list(self._trackers.values()))

    # Use.

    def adapt(self, support_x, support_y, statistics=None):
        """Adapts to a support set.

        Args:
            support_x: `[n, height, width, channels]` for images, in 0-255, of any size.
            support_y: `[n]` integer labels from 0, below the way or, for learners without one,
                below 10 000; or targets, shaped like the backbone's outputs. `[n]` targets are
                `[n, 1]`.
            statistics: "transductive", "support", "running" or "one_by_one"; None: the learner's
                own.

        Returns:
            An `Adapted`, whose `predict(query_x)` gives probabilities `[n, way]`.

        Raises:
            ValueError: shapes or labels do not fit, or a number is not finite.

        Example:
            >>> learner.adapt(support_x, support_y).predict(query_x)
        """
        support_x, support_y = read_support(self, support_x, support_y)
        mode = batch_statistics.check_mode(statistics or self.statistics)
        state = self._function("adapted_state", mode)(support_x, support_y)
        return Adapted(self, state, self._function("probabilities", mode), mode)

    def export(self, path, **options):
        """Writes a SavedModel that adapts itself; see `tfmgaug.export`."""
        from tfmgaug.saved_model import export  # which stands above the learners

        return export(self, path, **options)

    def mask_sparsity(self):
        """Returns the share pruned of each weight in the sub-network of the highest rate."""
        if self.augmentation is None:
            return {}
        shares = self.augmentation.sparsity(values(self.backbone.trainable_variables))
        return {n: float(s) for n, s in zip(self.weight_names, shares) if s is not None}

    @property
    def example_shape(self):
        """The shape of one example, None where any size fits."""
        return tuple(self.backbone.inputs[0].shape[1:])

    @property
    def image_shape(self):
        """The shape of one example that the backbone was made for."""
        return preparation.image_shape_of(self.backbone)

    def _function(self, method, mode):
        # One graph per method, mode and settings, for any number of examples.
        key = (method, mode, self.graph_key)
        if key not in self._functions:
            bound = functools.partial(getattr(self, method), statistics=mode)
            self._functions[key] = tf.function(bound, reduce_retracing=True, autograph=False)
        return self._functions[key]

    # Keras.

    def compile(self, optimizer="adam", steps_per_execution=1, run_eagerly=False, **unsupported):
        """Sets the outer optimizer.

        Args:
            optimizer: Keras optimizer, with any schedule: any but those that scale a loss, or that
                clip the gradients of several replicas.
            steps_per_execution: outer steps per call of the graph.
            run_eagerly: bool, for debugging.
            **unsupported: `loss` is a constructor argument, metrics are built in, and XLA is off,
                because max pooling is wrong under it at second order.

        Raises:
            ValueError: an unsupported argument is given, or an optimizer that would take other
                steps than it says.
        """
        given = sorted(name for name, value in unsupported.items() if value and value != "auto")
        if given:
            raise ValueError(
                "`compile` takes `optimizer`, `steps_per_execution` and `run_eagerly`: the loss is "
                "a constructor argument, metrics are built in, and XLA gets second-order gradients "
                f"of max pooling wrong. Received: {', '.join(given)}."
            )
        optimizer = keras.optimizers.get(optimizer)
        outer_optimizer.check(optimizer)
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            run_eagerly=run_eagerly,
            jit_compile=False,
            auto_scale_loss=False,  # under a global policy "mixed_float16" Keras would divide by it
        )
        self._make_trackers()
        # Slots must exist before weights are loaded into them, and before `fit` traces its step.
        self.optimizer.build(self.meta_variables)

    def _make_trackers(self):
        names = [*self._training_measures(), *self._evaluation_measures()]
        self._trackers = {name: Tracker(name) for name in dict.fromkeys(names)}

    def compile_from_config(self, config):
        """Compiles as `.keras` files remember it."""
        self.compile(optimizer=keras.optimizers.deserialize(config["optimizer"]))

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        return {
            **_TO_LOAD,
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
        arguments = {name: value for name, value in config.items() if name not in _TO_LOAD}
        return cls(**{**arguments, **nested})


def _policy():
    """The dtype policy of the learner's own variables: the global one, in float32 or better."""
    policy = keras.config.dtype_policy()
    return "float32" if policy.variable_dtype in ("bfloat16", "float16") else policy
