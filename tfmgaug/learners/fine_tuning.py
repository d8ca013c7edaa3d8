"""The fine-tuning baseline: ordinary training over all classes, a new head for each task."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

import keras
import tensorflow as tf

from tfmgaug.backbones.graph import calls
from tfmgaug.backbones.head import body_and_head
from tfmgaug.engine import penalties
from tfmgaug.engine.batch import BatchGradient
from tfmgaug.engine.context import Context
from tfmgaug.engine.inner_loop import connected
from tfmgaug.engine.params import Params, replace, select
from tfmgaug.learners import labels, task_heads
from tfmgaug.learners.batches import refuse_weights
from tfmgaug.learners.maml import MAML
from tfmgaug.learners.part_learned import without
from tfmgaug.randomness import fold, key


@keras.saving.register_keras_serializable("tfmgaug")
class FineTuning(MAML):
    """Supervised training of a classifier of all training classes, then gradient steps per task.

    Training: `theta <- theta - beta * dL(h_C(f(x)), y)/dtheta` over batches of labeled images of
    all C classes, with a head `h_C` of its own. A task: a new head of `way` outputs in its place,
    and then, from `theta`, what MAML's inner loop does to all weights. Nothing is learned over
    tasks.

    New heads are Glorot-uniform ("Xavier") with biases of zero. By default each task draws one of
    its own, from the seed and from what its support set holds (see `task_heads.support_digest`): no
    number of an episode is needed, so that evaluation, `adapt`, a resumed run and the exported
    model give the same head to the same support set, and another one to every other. One head for
    all tasks would make their gradients agree, whatever the body has learned.

    Batch normalization uses the statistics of the batch in training.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`, whose last layer is
            dense: `conv4`, a ResNet or `mlp`. The weights of that layer are overwritten.
        classes: int >= 2, C.
        inner_steps: int >= 1, in evaluation.
        inner_learning_rate: float >= 0, or a list with one for each layer.
        task_head: the head that a task starts from: "per_task", drawn anew for each task; "shared",
            one for all tasks, drawn from the seed alone. Learners that were saved before there was
            a choice have a shared one.
        **kwargs: of `MetaLearner`: statistics, parallel_tasks, seed, name. There is no augmentation
            and there are no regularizers: they act on the tasks of training, which has none.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> learner = FineTuning(conv4(way=5, image_shape=(28, 28, 1)), classes=len(train))
        >>> learner.compile(keras.optimizers.Adam(1e-3))
        >>> learner.fit(LabeledSampler(train, batch=64).dataset(), steps_per_epoch=25, epochs=10)

    Reference:
        Guiroy et al., Towards Understanding Generalization in Gradient-Based Meta-Learning, 2019,
        https://arxiv.org/abs/1907.07287, Section 3.2.
    """

    no_gradient_check = "Fine-tuning learns from labeled images, not from tasks."
    no_meta_gradient_scores = f"{no_gradient_check} There is no meta-gradient."

    def __init__(
        self,
        backbone: keras.Model,
        *,
        classes: int,
        inner_steps: int = 5,
        inner_learning_rate: float | Sequence[float] = 0.01,
        task_head: str = "per_task",
        **kwargs: Any,
    ) -> None:
        if not isinstance(classes, int) or classes < 2:
            raise ValueError(f"`classes` must be an int >= 2. Received: {classes!r}.")
        _refuse_task_options(kwargs)
        super().__init__(
            backbone,
            inner_steps=inner_steps,
            inner_learning_rate=inner_learning_rate,
            first_order=True,
            **kwargs,
        )
        if not self.classification:
            raise ValueError(
                "FineTuning classifies: its loss must be a cross-entropy over integer labels. "
                f"Received: {self.loss_fn!r}."
            )
        self.classes = classes
        self.task_head = task_heads.checked(task_head, self.classifier)
        self.training_head = _head_like(self.classifier, self.backbone, classes, self.seed)
        _draw_head(self.classifier, self.seed)

    @property
    def method_variables(self) -> list[keras.Variable]:
        body = without(self.backbone.trainable_variables, self.classifier.trainable_variables)
        return [*body, *self.training_head.trainable_variables]

    @property
    def fixed_variables(self) -> list[keras.Variable]:
        return [*self.classifier.trainable_variables, *super().fixed_variables]

    @property
    def weights_learned_elsewhere(self) -> list[keras.Variable]:
        return self.classifier.trainable_variables

    @property
    def changeable(self) -> dict[str, Callable]:
        settings = ("inner_steps", "inner_learning_rate", "statistics", "parallel_tasks")
        kept = {name: check for name, check in super().changeable.items() if name in settings}
        checked = functools.partial(task_heads.checked, classifier=self.classifier)
        return {**kept, "task_head": checked}

    @property
    def decided(self) -> frozenset[str]:
        return frozenset(("adapts", "first_order", "learn_inner_rates", "recompute_inner_steps"))

    # Cached properties stay out of Keras's tracking: both models share the backbone's layers.
    @functools.cached_property
    def _body(self):
        return body_and_head(self.backbone)[0]

    @property
    def measures_before(self) -> bool:
        return False

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the learner from `get_config`'s result, which may be of an earlier version."""
        return super().from_config({"task_head": "shared", **config})

    # A task.

    def initial_state(self, context: Context | None = None) -> Params:
        state = super().initial_state(context)
        if self.task_head == "shared":
            return state
        if context is None or context.support is None:
            raise ValueError(
                "Each task of this learner starts from a head of its own, drawn from its support "
                "set: pass `initial_state` the result of `context.starting_from(support_x, "
                f"support_y)`. Received: {context!r}."
            )
        support_x, support_y = context.support
        digest = task_heads.support_digest(self.network.as_input(support_x), support_y)
        task_key = fold(key(self.seed), "task_head", digest)
        return replace(state, task_heads.drawn_head(self.classifier, task_key))

    # Training.

    def batch_gradient(self, batch: Any) -> BatchGradient:
        """Computes the gradients of a batch of labeled images.

        Args:
            batch: (images `[images, height, width, channels]` in 0-255, integer labels `[images]`).

        Returns:
            A `BatchGradient`, whose measures are `[1]`.
        """
        self.refuse_other_layers()
        images, numbers = _images_and_labels(batch, self.classes)
        numbers = labels.as_int32(numbers)
        theta = self.meta_params
        descents = penalties.descents(self.named(self.meta_variables), theta)
        head = self.named(self.training_head.trainable_variables)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(theta)
            weights, training = replace(self.network.params, theta), Context(training=True)
            features, statistics = self.network(weights, images, training, model=self._body)
            logits, _ = self.training_head.stateless_call(
                [theta[name] for name in head],
                [],
                tf.cast(features, self.training_head.compute_dtype),
            )
            outcome = self.outcome(tf.cast(logits, features.dtype), numbers)
        measures = {n: tf.cast(v, tf.float32)[None] for n, v in outcome.named().items()}
        gradients = penalties.add(connected(tape.gradient(outcome.loss, theta)), descents)
        return BatchGradient(gradients, select(statistics, self.running_variables), measures, {})

    def checked_batch(self, data: Any) -> Any:
        """Checks a batch of labeled images, at once or, in a pipeline, when it runs."""
        images, numbers = _images_and_labels(data, self.classes)
        return images, labels.in_range(numbers, self.classes, "labels")


def _refuse_task_options(kwargs):
    unsupported = [name for name in ("augmentation", "regularizers") if kwargs.get(name)]
    if unsupported:
        raise ValueError(
            "FineTuning trains on labeled images, and has no tasks in training to act on. "
            f"Received: {' and '.join(unsupported)}."
        )
    for name in ("adapts", "learn_inner_rates", "first_order", "recompute_inner_steps"):
        if name in kwargs:
            raise TypeError(f"FineTuning learns nothing over tasks. Received: {name}.")


def _head_like(classifier, backbone, classes, seed):
    """Builds a layer like the classifier, with other outputs."""
    config, last = classifier.get_config(), calls(backbone)[-1]
    if "units" not in config or classifier is not last.operation:
        raise ValueError(
            "`backbone` must end with a dense layer, in whose place training has another. "
            f"Received: {backbone.name!r}, with {classifier.name!r} as its last layer with weights."
        )
    config = {**config, "units": classes, "name": "training_head"}
    config["kernel_initializer"] = keras.initializers.GlorotUniform(seed=seed)
    head = type(classifier)(**config)
    head.build(last.input_tensors[0].shape)
    return head


def _draw_head(classifier, seed):
    """Draws the one head that tasks start from where they have none of their own."""
    kernel = classifier.kernel
    glorot = keras.initializers.GlorotUniform(seed=seed + 1)
    drawn = glorot(task_heads.flat_shape(kernel), dtype=kernel.dtype)
    kernel.assign(tf.reshape(drawn, kernel.shape))
    if classifier.bias is not None:
        classifier.bias.assign(tf.zeros_like(classifier.bias))


def _images_and_labels(batch, classes):
    if isinstance(batch, (tuple, list)) and len(batch) == 3:
        refuse_weights(sample_weight=batch[2])
        batch = batch[:2]
    if not (isinstance(batch, (tuple, list)) and len(batch) == 2) or isinstance(batch[0], dict):
        raise TypeError(
            "FineTuning trains on pairs (images, labels), as tfmgaug.data.LabeledSampler gives "
            f"them, and on no tasks. Received: {type(batch).__name__} of "
            f"{[type(part).__name__ for part in batch]}."
        )
    images, numbers = map(tf.convert_to_tensor, batch)
    if not numbers.dtype.is_integer or numbers.shape.rank not in (None, 1):
        raise TypeError(
            f"Expected integer labels [images], below {classes}. "
            f"Received: {numbers.dtype.name} of shape {numbers.shape}."
        )
    if tf.executing_eagerly():
        labels.in_range(numbers, classes, "labels")
    return images, numbers
