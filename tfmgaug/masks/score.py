"""Score mask: which weights a network has is what is learned."""

import math

import keras
import numpy as np
import tensorflow as tf

from tfmgaug.backbones.initializers import KaimingUniform, fan_in
from tfmgaug.configured import Settled
from tfmgaug.custom_gradient import custom_gradient
from tfmgaug.masks.mask import number_pruned, prunable_layers
from tfmgaug.randomness import fold

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
        entries are pruned at the start. (The code takes `k = 1 + round(p * (n - 1))`.)
    """

    def __init__(self, initial_sparsity=0.0, sparsity="drifting", prune_classifier=False, **kwargs):
        super().__init__(autocast=False, **kwargs)
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
        self._size = None
        self.built = True

    def attach(self, backbone, classifier, key):
        """Draws the scores of a backbone's weights.

        Args:
            backbone: `keras.Model`.
            classifier: the layer that makes the logits.
            key: stateless key, `[2]`.

        Raises:
            ValueError: the backbone has nothing to prune, or this mask belongs to another learner.
        """
        if self._size is not None:
            raise ValueError("A ScoreMask serves one learner: build another for the next.")
        layers = prunable_layers(backbone, None if self.prune_classifier else classifier)
        kernels = {id(layer.kernel) for layer in layers}
        weights = backbone.trainable_variables
        self._size = len(weights)
        self._places = [place for place, v in enumerate(weights) if id(v) in kernels]
        for place in self._places:
            self._add_scores(weights[place], fold(key, place))
        for score, threshold in zip(self.scores, self.thresholds):
            threshold.assign(self._threshold(score, follows=self.sparsity == "fixed"))

    def _add_scores(self, variable, key):
        # On the CPU, whose draws are the same wherever this runs.
        with tf.device("CPU:0"):
            drawn = KaimingUniform()(variable.shape, key, variable.dtype)
        name = variable.path.replace("/", "_")
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

    # Keras would save a list of variables a second time.
    @property
    def scores(self):
        """The scores of each kernel that is pruned: variables shaped like it."""
        return self.trainable_variables

    @property
    def thresholds(self):
        """Their thresholds: scalar variables."""
        return self.non_trainable_variables

    @property
    def places(self):
        """Where these kernels stand among the backbone's trainable variables."""
        return list(self._places)

    def masks(self):
        """Evaluates the masks at the present scores.

        Returns:
            A list aligned with the backbone's trainable variables, of tensors of zeros and ones;
            None stands where nothing is ever pruned.
        """
        masks = [None] * self._size
        for place, score, threshold in zip(self._places, self.scores, self.thresholds):
            masks[place] = step(tf.convert_to_tensor(score), tf.convert_to_tensor(threshold))
        return masks

    def call(self, weights):
        return [w if m is None else w * m for w, m in zip(weights, self.masks())]

    def update_thresholds(self):
        """Lets the thresholds follow the scores, where the sparsity is fixed."""
        if self.sparsity == "fixed":
            for score, threshold in zip(self.scores, self.thresholds):
                threshold.assign(self._threshold(score, follows=True))

    def set_masks(self, masks):
        """Moves the scores so that they give these masks: all as far from their threshold.

        Args:
            masks: dictionary from `places` to boolean arrays; others are passed over.
        """
        for place, score, threshold in zip(self._places, self.scores, self.thresholds):
            # As far as initial scores are on average.
            distance = 0.5 * math.sqrt(6 / fan_in(score.shape))
            value = tf.convert_to_tensor(threshold)
            score.assign(tf.where(masks[place], value + distance, value - distance))

    def _threshold(self, score, follows):
        ordered = tf.sort(tf.reshape(tf.convert_to_tensor(score), [-1]))
        # tf.cast would take a float through float32.
        sparsity = tf.constant(self.initial_sparsity, tf.float64)
        pruned = number_pruned(sparsity, ordered.shape[0])
        return ordered[pruned] if follows else ordered[tf.maximum(pruned, 1) - 1]

    def shares_pruned(self):
        """Measures the sparsity of each kernel that is pruned: a list of floats."""
        masks = [mask for mask in self.masks() if mask is not None]
        return [float(1 - np.mean(mask, dtype="float64")) for mask in masks]

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        return {
            **super().get_config(),
            "initial_sparsity": self.initial_sparsity,
            "sparsity": self.sparsity,
            "prune_classifier": self.prune_classifier,
        }


@custom_gradient
def step(score, threshold):
    """Returns `1[score >= threshold]`, whose gradient in the score is taken for one.

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
