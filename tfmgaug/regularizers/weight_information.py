"""MR-MAML (W): weights that hold no more information than they must."""

import math

import keras
import tensorflow as tf

from tfmgaug.masks.mask import prunable_layers
from tfmgaug.randomness import fold, normal
from tfmgaug.regularizers.divergence import from_standard_normal
from tfmgaug.regularizers.regularizer import Regularizer


@keras.saving.register_keras_serializable("tfmgaug")
class MRWeights(Regularizer):
    """Meta-regularization on weights.

    A kernel becomes `N(mu, s^2)`, drawn anew for every forward pass in training, and the outer loss
    `L_query + weight * KL(N(mu, s^2) || N(0, 1))`, summed over all entries. The backbone's weights
    are the means, and what evaluation uses; the log-variances, one an entry, are meta-learned and
    adapt to no task. Convolution and hidden dense kernels are drawn, those that masks prune;
    biases, normalization and the classifier are not.

    Args:
        weight: float >= 0, beta, weight of the divergence, summed over all entries. Published code
            has 1e-5 for Omniglot, 1e-3 for pose prediction and 5e-5 for sinusoids.
        initial_deviation: float > 0, deviation s of the noise at the start. Published code has
            softplus(-3) = 0.049 for Omniglot, and softplus(-20) = 2e-9 or less elsewhere, from
            where it takes Adam some ten thousand steps to a noise that matters.
        subnetworks: bool, whether it acts on MGAug's sub-networks too, whose pruned entries then
            have no divergence.

    Raises:
        ValueError: an argument is out of range, or the backbone has no such kernels, or the learner
            learns no weights.

    Example:
        >>> ANIL(backbone, regularizers=[MRWeights(1e-5)])

    Reference:
        Yin et al., 2020, https://arxiv.org/abs/1912.03820, Section 4. (The authors adapt no layer
        that is drawn: nor does ANIL. MAML adapts the means.)
    """

    def __init__(self, weight=1e-5, initial_deviation=0.05, subnetworks=False):
        if not weight >= 0:
            raise ValueError(f"`weight` must not be negative. Received: weight={weight}.")
        if not initial_deviation > 0:
            raise ValueError(
                "`initial_deviation` must be positive, since its logarithm is learned. "
                f"Received: initial_deviation={initial_deviation}."
            )
        super().__init__(subnetworks)
        self.weight = weight
        self.initial_deviation = initial_deviation
        self._log_variances = []

    def attach(self, learner):
        if not learner.learns_weights:
            raise ValueError(
                "MRWeights bounds what learned weights know of the training tasks, and this "
                f"learner's weights are not learned. Received: {type(learner).__name__}."
            )
        layers = prunable_layers(learner.backbone, learner.classifier)
        drawn = {id(layer.kernel) for layer in layers}

        def log_variance(name, kernel):
            return learner.add_weight(
                shape=kernel.shape,
                dtype=kernel.dtype,
                initializer=keras.initializers.Constant(2 * math.log(self.initial_deviation)),
                name=f"{name}_log_variance",
            )

        self._log_variances = [
            log_variance(name, variable) if id(variable) in drawn else None
            for name, variable in zip(learner.weight_names, learner.backbone.trainable_variables)
        ]

    @property
    def variables(self):
        return [variable for variable in self._log_variances if variable is not None]

    def weights(self, weights, key):
        def draw(mean, log_variance, own_key):
            deviation = tf.exp(tf.convert_to_tensor(log_variance) / 2)
            return mean + deviation * normal(mean.shape, own_key, mean.dtype)

        return [
            w if log_variance is None else draw(w, log_variance, fold(key, number))
            for number, (w, log_variance) in enumerate(zip(weights, self._log_variances))
        ]

    def penalty(self, run):
        means = [tf.convert_to_tensor(v) for v in run.learner.backbone.trainable_variables]
        kept = [tf.ones_like(mean) for mean in means]
        if run.prune is not None:
            kept = run.prune(kept)
        divergences = [
            tf.reduce_sum(mask * from_standard_normal(mean, tf.convert_to_tensor(log_variance)))
            for mean, mask, log_variance in zip(means, kept, self._log_variances)
            if log_variance is not None
        ]
        return self.weight * tf.add_n(divergences)
