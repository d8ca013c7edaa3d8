"""Meta-ticket: a learned choice of the weights of a random network."""

from typing import Any

import keras
import tensorflow as tf

from tfmgaug.backbones.initializers import KaimingNormal, WeightInitializer
from tfmgaug.learners.maml import MAML
from tfmgaug.learners.part_learned import fixed
from tfmgaug.masks.score import ScoreMask
from tfmgaug.randomness import fold, key, uniform


@keras.saving.register_keras_serializable("tfmgaug")
class MetaTicket(MAML):
    """MAML that learns a mask on random weights, and not the weights.

    Inner loop, per task, from the random weights: `phi <- phi - alpha * dL_support(m * phi)/dphi`.
    Outer loop: `s <- s - beta * 1/T sum_t dL_query(m * phi'_t)/dm`, through the inner steps, with
    the mask `m = 1[s >= sigma]` in every forward pass and its gradient straight-through.

    The scores `s` alone are meta-learned. All weights start each task at the same random values:
    matrices are drawn anew when the learner is built, from `(seed, weight_initializer)`, biases and
    normalization are left as the backbone has them, and so is the classifier without
    `draw_classifier`. All of them adapt, the classifier too, which is not pruned.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`. Its kernels are
            overwritten.
        score_mask: `ScoreMask`; None: `ScoreMask()`, of initial sparsity 0.
        weight_initializer: of `tfmgaug.backbones.initializers`; None: `KaimingNormal()`.
        draw_classifier: bool, whether the classifier is drawn anew like the other matrices. The
            paper's code leaves that of its convolutional networks at its default start.
        **kwargs: of `MAML`. The paper takes one inner step in training, of second order.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> learner = MetaTicket(backbone, inner_steps=1, inner_learning_rate=0.4)
        >>> rate = keras.optimizers.schedules.CosineDecay(
        ...     0.01, 29_000, warmup_target=10.0, warmup_steps=1000
        ... )
        >>> learner.compile(keras.optimizers.SGD(rate, momentum=0.9))

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Eq. 3, Algorithm 1.
    """

    learns_weights = False
    no_meta_gradient_scores = (
        "Meta-ticket learns scores, not weights: there is no meta-gradient to score weights by."
    )

    def __init__(
        self,
        backbone: keras.Model,
        *,
        score_mask: ScoreMask | None = None,
        weight_initializer: Any = None,
        draw_classifier: bool = True,
        **kwargs: Any,
    ) -> None:
        score_mask = ScoreMask() if score_mask is None else score_mask
        weight_initializer = KaimingNormal() if weight_initializer is None else weight_initializer
        if not isinstance(score_mask, ScoreMask):
            raise TypeError(f"`score_mask` must be a ScoreMask. Received: {score_mask!r}.")
        if not isinstance(weight_initializer, WeightInitializer):
            raise TypeError(
                "`weight_initializer` must be of tfmgaug.backbones.initializers. "
                f"Received: {weight_initializer!r}."
            )
        if score_mask.prune_classifier and not draw_classifier:
            raise ValueError(
                "A classifier that is pruned is one of the random matrices: leave "
                "`draw_classifier` True, or let the score mask not prune it. "
                "Received: draw_classifier=False with prune_classifier=True."
            )
        super().__init__(backbone, **kwargs)
        self.draw_classifier = draw_classifier
        self.score_mask = score_mask
        self.weight_initializer = weight_initializer
        self.score_mask.attach(self.network, self.classifier, fold(key(self.seed), "scores"))
        self.network.transforms.insert(0, self.score_mask)
        # Of the last redraw: what a ticket file needs to know of how weights came about.
        self.redraws = self.add_weight(
            shape=(),
            dtype="int64",
            initializer="zeros",
            trainable=False,
            name="redraws",
            aggregation="only_first_replica",
        )
        for name, variable in self.network.variables.items():
            if self.is_drawn(variable):
                variable.assign(self.draw_weight(name))

    @property
    def method_variables(self) -> list[keras.Variable]:
        return [*self.score_mask.scores.values(), *super().method_variables]

    @property
    def fixed_variables(self) -> list[keras.Variable]:
        return [*super().fixed_variables, *self.score_mask.thresholds.values()]

    @property
    def network_variables(self) -> list[keras.Variable]:
        mask = self.score_mask
        return [*super().network_variables, *mask.scores.values(), *mask.thresholds.values()]

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        logs = super().train_step(data)
        self.score_mask.update_thresholds()
        return logs

    def mask_sparsity(self) -> dict[str, float]:
        """Returns the share of each kernel that the score mask prunes, by name."""
        return self.score_mask.shares_pruned()

    # Random weights.

    def is_drawn(self, variable: keras.Variable) -> bool:
        """Whether a weight of the backbone is drawn at random: matrices are, vectors are not."""
        of_classifier = any(variable is weight for weight in self.classifier.trainable_variables)
        return len(variable.shape) > 1 and (self.draw_classifier or not of_classifier)

    def draw_weight(self, name: str, number: int = 0) -> tf.Tensor:
        """Draws a weight from nothing but the seed, where it stands, and which draw this is.

        Args:
            name: of the weight.
            number: int >= 0: 0 is the weight that the learner starts with.

        Returns:
            A tensor.
        """
        variable = self.network.variables[name]
        # On the CPU, whose draws are the same wherever this runs.
        with tf.device("CPU:0"):
            draw_key = fold(key(self.seed), "weights", number, self._place(name))
            return self.weight_initializer(variable.shape, draw_key, variable.dtype)

    def draw_again(self, number: int, share: float = 1.0) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """Draws what weights are replaced by that the score mask prunes.

        Args:
            number: int >= 1, which redraw this is.
            share: float in (0, 1], the probability of each weight to be replaced.

        Returns:
            By the names of the kernels that the mask prunes, pairs of a bool tensor, the weights to
            replace where they are pruned, and a tensor of new weights.
        """
        drawn = {}
        for name in self.score_mask.scores:
            shape = self.network.variables[name].shape
            with tf.device("CPU:0"):
                draw_key = fold(key(self.seed), "redraw", number, self._place(name))
                drawn[name] = uniform(shape, draw_key) < share, self.draw_weight(name, number)
        return drawn

    def redraw_pruned(
        self,
        number: int,
        share: float = 1.0,
        drawn: dict[str, tuple[tf.Tensor, tf.Tensor]] | None = None,
    ) -> None:
        """Draws weights anew that the score mask prunes; the others stay.

        What is drawn, and which are, depends on nothing but the seed, `number` and the mask.

        Args:
            number: int >= 1, which redraw this is.
            share: float in (0, 1], the probability of each pruned weight to be drawn anew.
            drawn: as `draw_again` returns it; None: what it draws.

        Reference:
            Chijiwa et al., Pruning Randomly Initialized Neural Networks with Iterative
            Randomization, 2021, https://arxiv.org/abs/2106.09269, Algorithm 1.
        """
        drawn = self.draw_again(number, share) if drawn is None else drawn
        for name, mask in self.score_mask.masks().items():
            variable, (chosen, weights) = self.network.variables[name], drawn[name]
            variable.assign(tf.where((mask == 0) & chosen, weights, variable))
        self.redraws.assign(tf.maximum(tf.convert_to_tensor(self.redraws), number))

    def _place(self, name):
        # Draws are keyed by where a weight stands, so that renaming a layer changes none.
        return list(self.network.variables).index(name)


@keras.saving.register_keras_serializable("tfmgaug")
class MetaTicketBOIL(MetaTicket):
    """Meta-ticket whose inner learning rate is zero for the classifier.

    The classifier stays at its random start, in every task: nothing learns it.

    Args:
        backbone: functional `keras.Model` from inputs to logits `[n, way]`.
        **kwargs: of `MetaTicket`, whose `adapts` is "body" here.

    Raises:
        TypeError, ValueError: an argument does not fit.

    Example:
        >>> MetaTicketBOIL(backbone, inner_steps=1, inner_learning_rate=0.5)

    Reference:
        Chijiwa et al., Meta-ticket, 2022, https://arxiv.org/abs/2205.15619, Section 4.1.3.
    """

    def __init__(self, backbone: keras.Model, **kwargs: Any) -> None:
        super().__init__(backbone, **fixed(self, kwargs, adapts="body"))
