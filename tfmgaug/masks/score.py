"""Pruning by learned scores: a mask of the weights with the lowest scores."""

import math
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.backbones.initializers import KaimingUniform, fan_in
from tfmgaug.configured import Settled, arguments_of
from tfmgaug.custom_gradient import custom_gradient
from tfmgaug.engine.network import Network
from tfmgaug.engine.params import Params, by_name, read
from tfmgaug.masks.mask import apply, number_pruned, prunable_layers
from tfmgaug.randomness import fold
from tfmgaug.types import ArrayLike

_SPARSITIES = ("drifting", "fixed")


@keras.saving.register_keras_serializable("tfmgaug")
class ScoreMask(Settled, keras.layers.Layer):
    """Prunes the weights whose score is below their layer's threshold.

    `m_j = 1[s_j >= sigma]`, `w_j <- w_j * m_j`, with a score `s_j` for each weight, drawn from
    `U(-b, b)`, `b = sqrt(6 / fan_in)`. The gradient is straight-through, `dm_j/ds_j = 1`, of pruned
    entries too. `sigma` is the k-th smallest of the layer's initial scores, `k = floor(p * n)` but
    at least 1: it stays, and the sparsity drifts as scores are learned. Biases, normalization and
    the classifier are never pruned.

    At `p = 0`, as in the paper's experiments, `sigma` is the lowest initial score: all weights are
    there at first, and go when their score falls below it.

    Args:
        initial_sparsity: float in [0, 1), p, share of each layer that is pruned at first.
        sparsity: whether the share pruned changes in training. "drifting" (the paper): thresholds
            stay as they were at the start. "fixed": after
            every outer step thresholds follow the scores, so that exactly `floor(p * n)` entries
            are below (fewer only if scores tie at the threshold).
        prune_classifier: True prunes the classifier's kernel too, which the paper's code does in
            the experiment with constant weights.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: an argument is out of range, or nothing could ever be pruned.

    Example:
        >>> MetaTicket(backbone, score_mask=ScoreMask(initial_sparsity=0.5))

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 3.1, Eq. 4,
        which leaves open what becomes of `s_j = sigma`: it is kept, as in its code, so that `k - 1`
        entries are pruned at the start. (The code takes `k = 1 + round(p * (n - 1))`, and prunes
        `k - 1` too.)
    """

    def __init__(
        self,
        initial_sparsity: float = 0.0,
        sparsity: Literal["drifting", "fixed"] = "drifting",
        prune_classifier: bool = False,
        **kwargs: Any,
    ) -> None:
        # A name of its own, where Keras would number it: what is learned is known by its path.
        super().__init__(autocast=False, **{"name": "score_mask", **kwargs})
        if not 0 <= initial_sparsity < 1:
            raise ValueError(
                "`initial_sparsity` must be at least 0 and below 1. "
                f"Received: initial_sparsity={initial_sparsity}."
            )
        if sparsity not in _SPARSITIES:
            raise ValueError(f"`sparsity` must be one of {_SPARSITIES}. Received: {sparsity!r}.")
        if sparsity == "fixed" and initial_sparsity == 0:
            raise ValueError(
                "A sparsity that is fixed at 0 never prunes, so that there is nothing to learn. "
                "Expected initial_sparsity > 0 with sparsity='fixed'. Received: initial_sparsity=0."
            )
        self.initial_sparsity = float(initial_sparsity)
        self.sparsity = sparsity
        self.prune_classifier = prune_classifier
        self._network: Network | None = None
        self.built = True

    def attach(self, network: Network, classifier: keras.Layer | None, key: tf.Tensor) -> None:
        """Draws the scores of a network's weights.

        Args:
            network: `Network`.
            classifier: the layer that makes the logits.
            key: stateless key, `[2]`.

        Raises:
            ValueError: the network has nothing to prune, or this mask belongs to another learner.
        """
        if self._network is not None:
            raise ValueError("A ScoreMask serves one learner: build another for the next.")
        self._network = network
        layers = prunable_layers(network.model, None if self.prune_classifier else classifier)
        kernels = set(by_name(layer.kernel for layer in layers))
        self._names = [name for name in network.variables if name in kernels]
        places = {name: place for place, name in enumerate(network.variables)}
        for name in self._names:
            # Keyed by where a weight stands, so that renaming a layer changes no draw.
            self._add_scores(name, network.variables[name], fold(key, places[name]))
        for name, threshold in self.thresholds.items():
            threshold.assign(self._threshold(self.scores[name], self.sparsity == "fixed"))

    def _add_scores(self, name: str, variable: keras.Variable, key: tf.Tensor) -> None:
        # On the CPU, whose draws are the same wherever this runs.
        with tf.device("CPU:0"):
            drawn = self.draw(name, variable, key)
        # Without casts: in bfloat16 a score could not be told from a threshold near it.
        score = self.add_weight(
            shape=variable.shape,
            dtype=variable.dtype,
            autocast=False,
            initializer="zeros",
            name=f"{name}_score",
        )
        score.assign(drawn)
        self.add_weight(
            shape=(),
            dtype=variable.dtype,
            autocast=False,
            initializer="zeros",
            trainable=False,
            name=f"{name}_threshold",
            aggregation="only_first_replica",
        )

    def draw(self, name: str, weight: keras.Variable, key: tf.Tensor) -> tf.Tensor:
        """Draws the initial scores of a weight; override it to give your own.

        Args:
            name: of the weight.
            weight: the kernel that the scores are for.
            key: stateless key, `[2]`, of this weight.

        Returns:
            A tensor of the weight's shape and dtype.
        """
        return KaimingUniform()(weight.shape, key, weight.dtype)

    # Keras would save a dictionary of variables a second time.
    @property
    def scores(self) -> dict[str, keras.Variable]:
        """The scores of the kernels that are pruned: variables by the names of the weights."""
        return dict(zip(self._names, self.trainable_variables))

    @property
    def thresholds(self) -> dict[str, keras.Variable]:
        """Their thresholds: scalar variables by the names of the weights."""
        return dict(zip(self._names, self.non_trainable_variables))

    def masks(self) -> Params:
        """Evaluates the masks at the present scores.

        Returns:
            Tensors of zeros and ones, by the names of the weights that are pruned.
        """
        scores, thresholds = read(self.scores), read(self.thresholds)
        return {name: step(score, thresholds[name]) for name, score in scores.items()}

    def call(self, weights: Params) -> Params:
        return apply(weights, self.masks())

    def update_thresholds(self) -> None:
        """Moves the thresholds after the scores, where the sparsity is fixed."""
        if self.sparsity == "fixed":
            for name, threshold in self.thresholds.items():
                threshold.assign(self._threshold(self.scores[name], follows=True))

    def set_masks(self, masks: dict[str, ArrayLike]) -> None:
        """Sets the scores so that they give these masks, all equally far from their threshold.

        Args:
            masks: boolean arrays by the names of weights; weights without scores are passed over.
        """
        for name, score in self.scores.items():
            # As far as initial scores are on average.
            distance = 0.5 * math.sqrt(6 / fan_in(score.shape))
            value = tf.convert_to_tensor(self.thresholds[name])
            score.assign(tf.where(masks[name], value + distance, value - distance))

    def _threshold(self, score: keras.Variable, follows: bool) -> tf.Tensor:
        ordered = tf.sort(tf.reshape(tf.convert_to_tensor(score), [-1]))
        # tf.cast would take a float through float32.
        sparsity = tf.constant(self.initial_sparsity, tf.float64)
        pruned = number_pruned(sparsity, ordered.shape[0])
        return ordered[pruned] if follows else ordered[tf.maximum(pruned, 1) - 1]

    def shares_pruned(self) -> dict[str, float]:
        """Measures the sparsity of each kernel that is pruned, by the name of the weight."""
        return {n: float(1 - np.mean(mask, dtype="float64")) for n, mask in self.masks().items()}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        return {**super().get_config(), **arguments_of(self, ScoreMask)}


@custom_gradient
def step(score: tf.Tensor, threshold: tf.Tensor) -> tf.Tensor:
    """Returns `1[score >= threshold]`, whose gradient with respect to the score is set to 1.

    Args:
        score: tensor.
        threshold: scalar.

    Returns:
        A tensor of zeros and ones, of the score's shape and dtype.

    Reference:
        Bengio, Leonard, Courville, 2013, https://arxiv.org/abs/1308.3432, Section 4.
    """

    def straight_through(upstream):
        return upstream, tf.zeros_like(threshold)

    return tf.cast(score >= threshold, score.dtype), straight_through
