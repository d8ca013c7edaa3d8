"""Meta-regularization of weights, MR-MAML (W): a penalty on their information."""

import math

import keras
import tensorflow as tf

from tfmgaug.engine.params import Params, by_name, read
from tfmgaug.engine.task import TaskRun
from tfmgaug.masks.mask import prunable_layers
from tfmgaug.randomness import fold, normal
from tfmgaug.regularizers.divergence import from_standard_normal
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner


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

    def __init__(
        self, weight: float = 1e-5, initial_deviation: float = 0.05, subnetworks: bool = False
    ) -> None:
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
        self._log_variances: dict[str, keras.Variable] = {}

    def attach(self, learner: Learner) -> None:
        if not learner.learns_weights:
            raise ValueError(
                "MRWeights bounds what learned weights know of the training tasks, and this "
                f"learner's weights are not learned. Received: {type(learner).__name__}."
            )
        layers = prunable_layers(learner.backbone, learner.classifier)
        drawn = set(by_name(layer.kernel for layer in layers))
        self._log_variances = {
            name: learner.add_weight(
                shape=kernel.shape,
                dtype=kernel.dtype,
                initializer=keras.initializers.Constant(2 * math.log(self.initial_deviation)),
                name=f"{name}_log_variance",
            )
            for name, kernel in learner.network.variables.items()
            if name in drawn
        }

    @property
    def variables(self) -> list[keras.Variable]:
        return list(self._log_variances.values())

    def weights(self, params: Params, key: tf.Tensor) -> Params:
        drawn = self.draw(params, key)
        deviations = {name: tf.exp(v / 2) for name, v in read(self._log_variances).items()}
        return {
            name: mean + deviations[name] * drawn[name] if name in deviations else mean
            for name, mean in params.items()
        }

    def draw(self, params: Params, key: tf.Tensor) -> Params:
        """Draws the noise of one forward pass; override it to give your own.

        Args:
            params: the network's weights, by name.
            key: stateless key, `[2]`: `fold(learner.task_key(episode), "support", s, "weights", i)`
                in inner step s of the full network, of the i-th regularizer; `"query"` in place of
                `"support", s` where the queries are predicted.

        Returns:
            Standard normal tensors by the names of the kernels that are drawn.
        """
        # Keyed by where a weight stands, so that renaming a layer changes no draw.
        return {
            name: normal(mean.shape, fold(key, place), mean.dtype)
            for place, (name, mean) in enumerate(params.items())
            if name in self._log_variances
        }

    def penalty(self, run: TaskRun) -> tf.Tensor:
        means, log_variances = run.learner.network.params, read(self._log_variances)
        kept = run.context.weight_transform(tf.nest.map_structure(tf.ones_like, means))
        divergences = [
            tf.reduce_sum(kept[name] * from_standard_normal(means[name], log_variance))
            for name, log_variance in log_variances.items()
        ]
        return self.weight * tf.add_n(divergences)
