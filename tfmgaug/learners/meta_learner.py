"""The base of all learners: a Keras model that learns over tasks."""

import functools
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from tfmgaug import batch_statistics, losses
from tfmgaug.augmentation.mgaug import MGAug
from tfmgaug.backbones import preparation
from tfmgaug.backbones.graph import calls
from tfmgaug.engine import prediction, replicas, returned
from tfmgaug.engine.batch import BatchGradient, batch_gradient
from tfmgaug.engine.context import Context
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params
from tfmgaug.episode import Episode
from tfmgaug.learners import attachments, outer_optimizer, penalties
from tfmgaug.learners.adapted import Adapted, read_support
from tfmgaug.learners.batches import to_episodes, to_inputs
from tfmgaug.learners.checked_data import CheckedData
from tfmgaug.learners.examples import check_targets
from tfmgaug.learners.method import Method
from tfmgaug.learners.part_learned import PartLearned
from tfmgaug.learners.settings import Settings, positive
from tfmgaug.learners.trackers import Trackers
from tfmgaug.masks.magnitude import MagnitudeMask
from tfmgaug.regularizers.regularizer import Regularizer, check, check_places
from tfmgaug.types import ArrayLike, Shape

_RUNNING_MOMENTUM = 0.9


class MetaLearner(CheckedData, Settings, PartLearned, Method, keras.Model):
    """A Keras model that owns a backbone and learns over tasks.

    One outer step over T tasks: `g = 1/T sum_t g_t`, and the optimizer applies `g` to
    `meta_variables`. Subclasses say how one task is learned; see `Method`.

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
        backbone: keras.Model,
        *,
        loss: str | keras.losses.Loss = "cross_entropy",
        statistics: str = "transductive",
        augmentation: MGAug | None = None,
        magnitude_mask: MagnitudeMask | None = None,
        regularizers: Sequence[Regularizer] = (),
        measure_before: bool = True,
        parallel_tasks: int = 4,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, autocast=False, dtype=_policy())
        self.backbone = preparation.prepare(backbone)
        penalties.check_converted(backbone, self.backbone)
        self.network = Network(self.backbone)
        self.loss_fn = losses.get(loss)
        attachments.check_backbone(self)
        self.statistics = batch_statistics.check_mode(statistics)
        self.augmentation = augmentation
        self.measure_before = measure_before
        self.parallel_tasks = positive("parallel_tasks", parallel_tasks)
        self.seed = seed
        if augmentation is not None:
            attachments.check_augmentation(augmentation)
            self.check_score(augmentation.mask)
            augmentation.attach(self.network, self.classifier)
        attachments.attach_magnitude_mask(self, magnitude_mask)
        self.magnitude_mask = magnitude_mask
        # Saved, unlike optimizer.iterations, which stands still under gradient accumulation.
        self.step = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="step",
            aggregation="only_first_replica",
        )
        self._trackers: Trackers | None = None
        self._functions = {}
        self.built = True
        self.regularizers = tuple(check(regularizers))
        for regularizer in self.regularizers:
            regularizer.attach(self)
            check_places(regularizer, [call.operation.name for call in calls(self.backbone)])

    def _settle(self):
        returned.require_override(self, "adapt_state", Method)
        penalties.check(self)
        super()._settle()

    @property
    def changeable(self) -> dict[str, Callable]:
        return {
            "statistics": batch_statistics.check_mode,
            "measure_before": bool,
            "parallel_tasks": functools.partial(positive, "parallel_tasks"),
        }

    def setting_changed(self, name: str) -> None:
        super().setting_changed(name)
        if self.compiled:
            self._make_trackers()

    # A batch of tasks.

    def meta_gradients(
        self, batch: Any, with_measures: bool = False
    ) -> Params | tuple[Params, dict[str, tf.Tensor]]:
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
        learned = self.batch_gradient(batch)
        return (learned.gradients, learned.measures) if with_measures else learned.gradients

    def batch_gradient(self, batch: Any) -> BatchGradient:
        """Checks a batch, and computes all that an outer step learns from it.

        Args:
            batch: as of `meta_gradients`.

        Returns:
            A `BatchGradient`.
        """
        self.refuse_other_layers()
        return batch_gradient(self, self._read_tasks(batch))

    def _read_tasks(self, data) -> Episode:
        episodes = to_episodes(data, self.classification, self.way)
        if not self.classification and episodes.support_y.shape.rank != 2:  # [tasks, n]: a column
            check_targets(self, "support_y", episodes.support_y.shape[2:])
        return episodes

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        learned = self.batch_gradient(data)
        replicas.apply(self.optimizer, learned.gradients, self.named(self.meta_variables))
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
        return self._trackers.track(learned.measures)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        outcomes = tf.map_fn(
            self.step_outcomes,
            self._read_tasks(data),
            fn_output_signature=dict.fromkeys(self.outcome_names, tf.float32),
            parallel_iterations=self.parallel_tasks,
        )
        measures = {name: values[:, -1] for name, values in outcomes.items()}
        if self.evaluation_steps:
            for name, values in outcomes.items():  # [tasks, evaluation_steps + 1]
                measures[f"{name}_before"] = values[:, 0]
                for step in range(self.evaluation_steps + 1):
                    measures[f"{name}_step_{step}"] = values[:, step]
        return self._trackers.track(measures)

    def step_outcomes(
        self, episode: Episode, statistics: str | None = None
    ) -> dict[str, tf.Tensor]:
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

    def call(self, inputs: Any, training: bool = False) -> tf.Tensor:
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

    def _evaluation_measures(self):
        suffixes = [""]
        if self.evaluation_steps:
            suffixes += ["_before", *(f"_step_{n}" for n in range(self.evaluation_steps + 1))]
        return [name + suffix for suffix in suffixes for name in self.outcome_names]

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [] if self._trackers is None else [self._trackers]

    # Use.

    def adapted_state(
        self, support_x: tf.Tensor, support_y: tf.Tensor, statistics: str | None = None
    ) -> Params:
        """Adapts to one task, from the start.

        Args:
            support_x: `[n, ...]`.
            support_y: `[n]` labels, or targets.
            statistics: a mode; None: the learner's own.

        Returns:
            The state, with "classes" (bool, `[way]`) for classification.
        """
        context = Context(statistics=statistics or self.statistics)
        state = self.initial_state(context.starting_from(support_x, support_y))
        return prediction.adapt(self, state, support_x, support_y, context)

    def probabilities(self, state: Params, x: Any, statistics: str | None = None) -> tf.Tensor:
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
        return tf.nn.softmax(outputs) if self.classification else outputs

    def adapt(
        self, support_x: ArrayLike, support_y: ArrayLike, statistics: str | None = None
    ) -> Adapted:
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

    def export(self, path: str | pathlib.Path, **options: Any) -> Any:
        """Writes a SavedModel that adapts itself; see `tfmgaug.export`."""
        from tfmgaug.saved_model import export  # which stands above the learners

        return export(self, path, **options)

    def mask_sparsity(self) -> dict[str, float]:
        """Returns the share pruned of each weight in the sub-network of the highest rate."""
        if self.augmentation is None:
            return {}
        shares = self.augmentation.sparsity(self.network.params)
        return {name: float(share) for name, share in shares.items()}

    @property
    def example_shape(self) -> Shape:
        """The shape of one example, None where any size fits."""
        return tuple(self.backbone.inputs[0].shape[1:])

    @property
    def image_shape(self) -> Shape:
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

    def compile(
        self,
        optimizer: str | dict | keras.optimizers.Optimizer = "adam",
        steps_per_execution: int = 1,
        run_eagerly: bool = False,
        **unsupported: Any,
    ) -> None:
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
        outer_optimizer.refuse_arguments(unsupported)
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

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Builds nothing: a compiled learner is built, and Keras would average replicas' batches.

        That fails where replicas have different numbers of tasks, as in a batch of 20 on 8 devices.
        """

    def _make_trackers(self):
        self._trackers = Trackers([*self.training_measures, *self._evaluation_measures()])

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as `.keras` files remember it."""
        self.compile(optimizer=keras.optimizers.deserialize(config["optimizer"]))


def _policy():
    """The dtype policy of the learner's own variables: the global one, in float32 or better."""
    policy = keras.config.dtype_policy()
    return "float32" if policy.variable_dtype in ("bfloat16", "float16") else policy
