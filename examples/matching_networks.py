"""Matching networks: an example of a learner."""

import keras
import tensorflow as tf

from tfmgaug.learners import ClosedFormLearner


@keras.saving.register_keras_serializable("examples")
class MatchingNetworks(ClosedFormLearner):
    """Classifies by attention over the support set.

    `p(k | x) = sum_i a(x, x_i) [y_i = k]`, with `a` the softmax of cosines over support examples.

    Args:
        backbone: functional `keras.Model` from inputs to embeddings `[n, features]`.
        sharpness: float > 0, what cosines are multiplied by.
        **kwargs: of `tfmgaug.learners.MetaLearner`.

    Reference:
        Vinyals et al., 2016, https://arxiv.org/abs/1606.04080, Eq. 1.
    """

    def __init__(self, backbone, *, sharpness: float = 10.0, **kwargs):
        super().__init__(backbone, **kwargs)
        self.sharpness = sharpness

    def fit_head(self, embeddings, labels, way):
        one_hot = tf.one_hot(labels, way, dtype=embeddings.dtype)
        return {"examples": tf.math.l2_normalize(embeddings, -1), "labels": one_hot}

    def read_out(self, outputs, state):
        cosines = tf.matmul(tf.math.l2_normalize(outputs, -1), state["examples"], transpose_b=True)
        attention = tf.nn.softmax(self.sharpness * cosines)  # [queries, way * shot]
        return tf.math.log(tf.matmul(attention, state["labels"]) + 1e-7)  # [queries, way]
