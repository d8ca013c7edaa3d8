"""A penalty on confident predictions: an example of a regularizer."""

import keras
import tensorflow as tf

from tfmgaug.regularizers import Regularizer


@keras.saving.register_keras_serializable("examples")
class ConfidencePenalty(Regularizer):
    """Adds `-beta * H(p)` to a task's query loss, with the mean entropy H of its predictions.

    Args:
        beta: float > 0.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Reference:
        Pereyra et al., 2017, https://arxiv.org/abs/1701.06548, Eq. 2.
    """

    def __init__(self, beta: float = 0.1, subnetworks: bool = False):
        super().__init__(subnetworks)
        self.beta = beta

    def penalty(self, run):
        probabilities = tf.nn.softmax(run.logits)  # [queries, way]
        entropy = -tf.reduce_sum(tf.math.xlogy(probabilities, probabilities), axis=-1)
        return -self.beta * tf.reduce_mean(entropy)
