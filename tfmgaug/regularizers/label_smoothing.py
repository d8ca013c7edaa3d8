"""Label smoothing of the queries."""

import keras
import tensorflow as tf

from tfmgaug import losses
from tfmgaug.engine.task import TaskRun
from tfmgaug.episode import Outcome
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner


@keras.saving.register_keras_serializable("tfmgaug")
class LabelSmoothing(Regularizer):
    """Trains on smoothed labels of the queries.

    `L = -(1 - rate) * log p_y - rate / (way - 1) * sum over m != y of log p_m`, of the queries,
    over the classes that have support. The inner loop and evaluation keep the labels.

    Args:
        rate: float in [0, 1), the probability that the other classes share.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: `rate` is out of range, or the learner does not classify.

    Example:
        >>> MetaOptNet(backbone, regularizers=[LabelSmoothing(0.1)])

    Reference:
        Szegedy et al., 2016, https://arxiv.org/abs/1512.00567, Section 7. The form, in which the
        label has no part of the rate, is that of MetaOptNet's code, with 0.1.
    """

    def __init__(self, rate: float = 0.1, subnetworks: bool = False) -> None:
        super().__init__(subnetworks)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be from 0 to below 1. Received: rate={rate}.")
        self.rate = rate

    def attach(self, learner: Learner) -> None:
        if not learner.classification:
            raise ValueError("LabelSmoothing smooths labels, which a regression has none of.")
        if not losses.is_cross_entropy(learner.loss_fn):
            raise ValueError(
                "LabelSmoothing replaces the loss by a cross-entropy to smooth labels: it goes "
                f"with loss='cross_entropy'. Received: a learner with loss {learner.loss_fn!r}."
            )

    def outcome(self, run: TaskRun) -> Outcome:
        plain, logs = run.plain_outcome, tf.nn.log_softmax(run.logits)
        present = run.adapted["classes"]
        logs = tf.where(present, logs, tf.zeros_like(logs))
        others = tf.maximum(tf.reduce_sum(tf.cast(present, logs.dtype)) - 1, 1)
        of_labels = tf.gather(logs, run.episode.query_y, batch_dims=1)
        rest = (tf.reduce_sum(logs, -1) - of_labels) / others
        loss = -tf.reduce_mean((1 - self.rate) * of_labels + self.rate * rest)
        return plain._replace(loss=loss)
