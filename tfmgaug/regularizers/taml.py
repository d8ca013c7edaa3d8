"""Task-agnostic meta-learning (TAML): penalties on initial models that favor some tasks."""

from collections.abc import Callable
from typing import Literal

import keras
import tensorflow as tf

from tfmgaug.engine.task import TaskRun
from tfmgaug.regularizers import inequality
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner

MEASURES: dict[str, Callable[..., tf.Tensor]] = {
    "theil": inequality.theil,
    "ge": inequality.generalized_entropy,
    "atkinson": inequality.atkinson,
    "gini": inequality.gini,
    "variance_of_logs": inequality.variance_of_logs,
}
# About the loss that certain predictions round to.
_SMALLEST_LOSS = 1e-7


@keras.saving.register_keras_serializable("tfmgaug")
class EntropyTAML(Regularizer):
    """Favors predictions that are uncertain before adaptation and certain after it.

    `loss <- loss + weight * (H(adapted) - H(initial))`, for each task, where H is the entropy of
    the predicted probabilities, averaged over the queries.

    Args:
        weight: float >= 0, weight of the penalty. (The default is ours.)
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: `weight` is negative, or the learner does not adapt by inner steps or does not
            classify.

    Example:
        >>> MAML(backbone, regularizers=[EntropyTAML(weight=0.1)])

    Reference:
        Jamal, Qi, Task-Agnostic Meta-Learning for Few-shot Learning, 2019,
        https://arxiv.org/abs/1805.07722, "Entropy-maximization/reduction TAML".
    """

    def __init__(self, weight: float = 0.1, subnetworks: bool = False) -> None:
        super().__init__(subnetworks)
        self.weight = _check_weight(weight)

    def attach(self, learner: Learner) -> None:
        _refuse_without_inner_steps(self, learner)
        if not learner.classification:
            raise ValueError(
                "EntropyTAML needs predicted probabilities, which a regression has none of: use "
                f"InequalityTAML. Received: a learner with loss {learner.loss_fn!r}."
            )

    def penalty(self, run: TaskRun) -> tf.Tensor:
        return self.weight * (_entropy(run.logits) - _entropy(run.initial_logits))


@keras.saving.register_keras_serializable("tfmgaug")
class InequalityTAML(Regularizer):
    """Favors equal losses of the tasks of a batch before adaptation.

    `loss <- loss + weight * I(l_1, ..., l_T)`, once for the batch, where `l_t` is the loss of task
    t's queries at the initial weights and I a measure of inequality. Each task adds
    `weight * T * dI/dl_t * l_t` to its loss, with the derivative held constant: the mean over tasks
    then has the gradient of I. A first pass over the batch, of all replicas, finds the losses.

    Losses below 1e-7 count as 1e-7 and are not pushed: logarithms would push them without bounds.
    Equal losses don't push one another in Gini's coefficient either.

    Args:
        measure: "theil", "ge" (generalized entropy), "atkinson", "gini" or "variance_of_logs"; see
            `tfmgaug.regularizers.inequality`.
        weight: float >= 0, weight of the penalty. (The default is ours.)
        alpha: float, of "ge" alone; None: 2.
        epsilon: float > 0, of "atkinson" alone; None: 0.5.
        subnetworks: False. Sub-networks are left alone: nobody knows their losses in the first
            pass, since their masks are drawn in the second.

    Raises:
        ValueError: an argument is out of range or of another measure, or the learner does not adapt
            by inner steps; in training, if there is a single task in a step.

    Example:
        >>> MAML(backbone, regularizers=[InequalityTAML("atkinson", epsilon=1.0)])

    Reference:
        Jamal, Qi, Task-Agnostic Meta-Learning for Few-shot Learning, 2019,
        https://arxiv.org/abs/1805.07722, "Inequality-minimization TAML".
    """

    def __init__(
        self,
        measure: Literal["theil", "ge", "atkinson", "gini", "variance_of_logs"] = "theil",
        weight: float = 0.1,
        alpha: float | None = None,
        epsilon: float | None = None,
        subnetworks: bool = False,
    ) -> None:
        super().__init__(subnetworks)
        if subnetworks:
            raise ValueError(
                "InequalityTAML can't act on sub-networks: it compares the losses of all tasks "
                "before their masks are drawn. Received: subnetworks=True."
            )
        if measure not in MEASURES:
            raise ValueError(f"`measure` must be one of {sorted(MEASURES)}. Received: {measure!r}.")
        if alpha is not None and measure != "ge":
            raise ValueError(f"`alpha` is for 'ge'. Received: alpha={alpha} with {measure!r}.")
        if epsilon is not None and measure != "atkinson":
            raise ValueError(
                f"`epsilon` is for 'atkinson'. Received: epsilon={epsilon} with {measure!r}."
            )
        if epsilon is not None and not epsilon > 0:
            raise ValueError(f"`epsilon` must be positive. Received: epsilon={epsilon}.")
        self.measure = measure
        self.weight = _check_weight(weight)
        self.alpha = 2.0 if alpha is None and measure == "ge" else alpha
        self.epsilon = 0.5 if epsilon is None and measure == "atkinson" else epsilon

    def attach(self, learner: Learner) -> None:
        _refuse_without_inner_steps(self, learner)

    def summary(self, run: TaskRun) -> tf.Tensor:
        return run.initial_outcome.loss

    def couple(self, summaries: tf.Tensor) -> tf.Tensor:
        if summaries.shape[0] == 1:
            raise ValueError("An inequality needs at least two tasks in a step. Received: one.")
        losses = tf.maximum(tf.cast(summaries, tf.float64), _SMALLEST_LOSS)
        with tf.GradientTape() as tape:
            tape.watch(losses)
            value = self.inequality(losses)
        slopes = tape.gradient(value, losses) * tf.cast(tf.size(losses), tf.float64)
        pushed = tf.where(summaries < _SMALLEST_LOSS, tf.zeros_like(slopes), slopes)
        return tf.cast(pushed, tf.float32)

    def inequality(self, losses: tf.Tensor) -> tf.Tensor:
        """Returns the inequality between losses `[tasks]`, a scalar."""
        parameters = [value for value in (self.alpha, self.epsilon) if value is not None]
        return MEASURES[self.measure](losses, *parameters)

    def penalty(self, run: TaskRun) -> tf.Tensor:
        loss = run.initial_outcome.loss
        return self.weight * tf.cast(run.coupling(self), loss.dtype) * loss


def _entropy(logits: tf.Tensor) -> tf.Tensor:
    logarithms = tf.nn.log_softmax(logits)
    return -tf.reduce_mean(tf.reduce_sum(tf.exp(logarithms) * logarithms, axis=-1))


def _check_weight(weight: float) -> float:
    if not weight >= 0:
        raise ValueError(f"`weight` must not be negative. Received: weight={weight}.")
    return weight


def _refuse_without_inner_steps(regularizer: Regularizer, learner: Learner) -> None:
    if learner.inner_steps == 0:
        raise ValueError(
            f"{type(regularizer).__name__} tells predictions before adaptation from those after "
            "it, and this learner has no inner steps: both are the same. "
            f"Received: {type(learner).__name__}."
        )
