"""MetaMix: queries mixed with support examples, in features and labels."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tfmgaug.engine.task import TaskRun
from tfmgaug.episode import Episode, Outcome
from tfmgaug.losses import Mixed
from tfmgaug.randomness import beta, choose, fold, permutation
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner, Method


class Mixture(NamedTuple):
    """What `MetaMix` draws for a task.

    Attributes:
        depth: int32 scalar, one of the depths.
        share: float32 scalar, lambda, the query's share.
        partners: int32 `[queries]`, the support examples that the queries are mixed with.
    """

    depth: tf.Tensor
    share: tf.Tensor
    partners: tf.Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class MetaMix(Regularizer):
    """Replaces each query by a mixture with an example that was adapted on.

    At a depth d drawn for each task, in the adapted network f:

    `h_d(x) <- lambda * h_d(query) + (1 - lambda) * h_d(support[partner])`
    `loss = lambda * L(f(x), y_query) + (1 - lambda) * L(f(x), y_support[partner])`

    lambda is drawn from a Beta distribution for each task. For regression the targets are mixed,
    which for the mean squared error is the same but for a constant. Partners are a random
    permutation of the support set. Where there are more queries than support examples, each of
    these is taken equally often, as nearly as the numbers allow; the paper leaves that open and its
    code has as many of both. The support set is normalized as queries are, by itself in
    transductive mode. The reported loss and accuracy are those of the mixed queries, of both
    labels; running statistics come from queries as they are.

    Args:
        concentration: float > 0, both parameters of the Beta distribution, or (a, b); None: 2
            for classification and 0.5 for regression.
        depths: list of ints, where to mix; each is as likely as the others. 0 is the input, n what
            the n-th of the learner's `stages` hands to the next. None: everywhere.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: `concentration` is not positive or `depths` is empty, or the learner's backbone
            is not that deep.

    Example:
        >>> MAML(backbone, regularizers=[MetaMix()])

    Reference:
        Yao et al., Improving Generalization in Meta-learning via Task Augmentation, 2021,
        https://arxiv.org/abs/2007.13040. Its code mixes Conv-4 at depths 0 to 3.
    """

    def __init__(
        self,
        concentration: float | Sequence[float] | None = None,
        depths: Sequence[int] | None = None,
        subnetworks: bool = False,
    ) -> None:
        super().__init__(subnetworks)
        if isinstance(concentration, (tuple, list)):
            concentration = list(concentration)
            if len(concentration) != 2:
                raise ValueError(
                    f"`concentration` must be a number or (a, b). Received: {concentration!r}."
                )
        if concentration is not None and not min(_pair(concentration)) > 0:
            raise ValueError(f"`concentration` must be positive. Received: {concentration!r}.")
        self.concentration = concentration
        self.depths = check_depths(depths)

    def attach(self, learner: Learner) -> None:
        depths_of(self.depths, learner)

    def outcome(self, run: TaskRun) -> Outcome:
        episode, depths = run.episode, depths_of(self.depths, run.learner)
        concentration = _pair(self._concentration(run.learner))
        depth, share, partners = self.draw(episode, depths, concentration, run.key)

        # One chain for all depths: where nothing is to be mixed, the query's share is one.
        query, support = run.hidden(episode.query_x, 0), run.hidden(episode.support_x, 0)
        for current in range(depths[-1] + 1):
            if current in depths:
                weight = tf.cast(tf.where(depth == current, share, 1.0), query.dtype)
                query = weight * query + (1 - weight) * tf.gather(support, partners)
            if current < depths[-1]:
                query = run.hidden(query, current + 1, current)
                support = run.hidden(support, current + 1, current, episode.support_y)
        logits = run.from_hidden(query, depths[-1])
        return run.learner.outcome(
            logits, Mixed(episode.query_y, tf.gather(episode.support_y, partners), share)
        )

    def draw(
        self,
        episode: Episode,
        depths: list[int],
        concentration: tuple[float, float],
        key: tf.Tensor,
    ) -> Mixture:
        """Draws what a task is mixed by; override it to give your own.

        Args:
            episode: `Episode` of one task.
            depths: list of ints, where mixing is possible.
            concentration: (a, b) of the Beta distribution.
            key: stateless key, `[2]`, of the task.

        Returns:
            A `Mixture`.
        """
        mix_key = fold(key, "mix")
        return Mixture(
            depth=choose(depths, fold(key, "depth")),
            share=beta(concentration, fold(mix_key, "share")),
            partners=_partners(_number(episode.query_x), _number(episode.support_x), mix_key),
        )

    def _concentration(self, learner: Method) -> float | Sequence[float]:
        if self.concentration is not None:
            return self.concentration
        return 2.0 if learner.classification else 0.5


def check_depths(depths: Sequence[int] | None) -> list[int] | None:
    """Returns a sorted list of depths, or None, or refuses it."""
    if depths is None:
        return None
    if not depths or min(depths) < 0 or len(set(depths)) < len(depths):
        raise ValueError(
            f"`depths` must be distinct and not negative, at least one. Received: {depths!r}."
        )
    return sorted(depths)


def depths_of(depths: list[int] | None, learner: Method) -> list[int]:
    """Returns the list of depths, by default all, or refuses those that the backbone lacks."""
    possible = range(len(learner.network.stages))
    if depths is None:
        return list(possible)
    if depths[-1] not in possible:
        raise ValueError(
            f"`depths` must be below {len(possible)}, the number of stages of backbone "
            f"{learner.backbone.name!r}. Received: {depths}."
        )
    return depths


def _pair(concentration: float | Sequence[float]) -> tuple[float, float]:
    first, second = (
        concentration if isinstance(concentration, (tuple, list)) else (concentration,) * 2
    )
    return first, second


def _number(x: tf.Tensor) -> int | tf.Tensor:
    return x.shape[0] or tf.shape(x)[0]


def _partners(queries: int | tf.Tensor, examples: int | tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    order = permutation(queries, fold(key, "queries")) % examples
    return tf.gather(permutation(examples, fold(key, "support")), order)
