"""Meta-regularization of activations, MR-MAML (A): a penalty on their information."""

import math

import keras
import tensorflow as tf

from tfmgaug.engine.task import TaskRun
from tfmgaug.randomness import normal
from tfmgaug.regularizers.divergence import from_standard_normal
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner


@keras.saving.register_keras_serializable("tfmgaug")
class MRActivations(Regularizer):
    """Meta-regularization on the activations of one stage.

    In training, the output `h` of a stage becomes `z ~ N(h, s(h)^2)` with
    `s(h) = softplus(h K + b)`, on support and query alike, and the outer loss becomes
    `L_query + weight * KL(N(h, s(h)^2) || N(0, 1))`, over the query inputs: summed over the entries
    of an activation, averaged over examples. `K` (`[channels, channels]`) starts at zero and is
    meta-learned with `b`; neither adapts to a task. Evaluation uses `h`.

    Args:
        weight: float >= 0, beta, weight of the divergence, summed over an activation's entries. The
            authors' code has 0.01 for pose prediction (with conditional neural processes) and 1 for
            sinusoids (5, of a mean over 5 entries).
        depth: int >= 1, the number of stages before the noise; see `tfmgaug.backbones.stages`.
            None: all but the last, which makes the logits or embeddings.
        initial_deviation: float > 0, deviation s of the noise at the start. The authors' code
            starts around softplus(0) = 0.69.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: an argument is out of range, or the backbone has no stage of this depth before
            its last.

    Example:
        >>> MAML(backbone, regularizers=[MRActivations(0.01, depth=3)])

    Reference:
        Yin et al., 2020, https://arxiv.org/abs/1912.03820, Section 4. (The authors adapt no layer
        before the noise: nor does ANIL.)
    """

    places: tuple[str, ...] = ()  # the layers behind which it acts, once attached

    def __init__(
        self,
        weight: float = 0.01,
        depth: int | None = None,
        initial_deviation: float = 0.69,
        subnetworks: bool = False,
    ) -> None:
        if not weight >= 0:
            raise ValueError(f"`weight` must not be negative. Received: weight={weight}.")
        if depth is not None and depth < 1:
            raise ValueError(f"`depth` must be at least 1, or None. Received: depth={depth}.")
        if not initial_deviation > 0:
            raise ValueError(
                "`initial_deviation` must be positive: a softplus is. "
                f"Received: initial_deviation={initial_deviation}."
            )
        super().__init__(subnetworks)
        self.weight = weight
        self.depth = depth
        self.initial_deviation = initial_deviation
        self._kernel: keras.Variable | None = None
        self._bias: keras.Variable | None = None

    def attach(self, learner: Learner) -> None:
        inner = learner.network.stages[:-1]  # the last one makes the logits or embeddings
        depth = len(inner) if self.depth is None else self.depth
        if not 1 <= depth <= len(inner):
            raise ValueError(
                "Expected a stage before the one that makes the logits or embeddings: `depth` must "
                f"be from 1 to {len(inner)}. Received: depth={self.depth}, and backbone "
                f"{learner.backbone.name!r} with {len(learner.network.stages)} stages."
            )
        stage = inner[depth - 1]
        self.places = (stage.name,)
        channels = stage.output_shape[-1]

        def variable(name: str, shape: tuple[int, ...], start: float) -> keras.Variable:
            return learner.add_weight(
                shape=shape,
                dtype=learner.backbone.trainable_variables[0].dtype,
                initializer=keras.initializers.Constant(start),
                name=f"{stage.name}_deviation_{name}",
            )

        self._kernel = variable("kernel", (channels, channels), 0.0)
        self._bias = variable("bias", (channels,), math.log(math.expm1(self.initial_deviation)))

    @property
    def variables(self) -> list[keras.Variable]:
        return [] if self._kernel is None else [self._kernel, self._bias]

    def activations(self, x: tf.Tensor, place: str, key: tf.Tensor, step: tf.Tensor) -> tf.Tensor:
        deviation = self._deviation(x)
        return x + tf.cast(deviation * self.draw(deviation, key), x.dtype)

    def draw(self, deviation: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Draws the noise of one forward pass; override it to give your own.

        Args:
            deviation: of each activation, `[n, ...]`.
            key: stateless key, `[2]`, of this pass.

        Returns:
            A standard normal tensor like `deviation`.
        """
        return normal(tf.unstack(tf.shape(deviation)), key, deviation.dtype)

    def penalty(self, run: TaskRun) -> tf.Tensor:
        mean = run.activations(*self.places)
        deviation = self._deviation(mean)
        mean = tf.cast(mean, deviation.dtype)
        divergence = from_standard_normal(mean, 2 * tf.math.log(deviation))
        return self.weight * tf.reduce_sum(divergence) / tf.cast(tf.shape(mean)[0], mean.dtype)

    def _deviation(self, x: tf.Tensor) -> tf.Tensor:
        kernel, bias = tf.convert_to_tensor(self._kernel), tf.convert_to_tensor(self._bias)
        return tf.nn.softplus(tf.tensordot(tf.cast(x, kernel.dtype), kernel, 1) + bias)
