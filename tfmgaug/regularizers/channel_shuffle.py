"""Channel shuffle: an exchange of feature channels between the classes of a task."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf

from tfmgaug.randomness import choose, fold, permutation, uniform
from tfmgaug.regularizers.maxup import MaxUp
from tfmgaug.regularizers.metamix import check_depths, depths_of
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.types import Learner


class Shuffle(NamedTuple):
    """What `ChannelShuffle` draws for a task.

    Attributes:
        place: int32 scalar, at which of `class_places` it acts.
        acts: bool scalar, whether it acts at all.
        circle: int32 `[classes]`, the classes in a circle: each takes channels from the next.
        stays: bool `[classes, channels]`, the channels that a class keeps.
    """

    place: tf.Tensor
    acts: tf.Tensor
    circle: tf.Tensor
    stays: tf.Tensor


@keras.saving.register_keras_serializable("tfmgaug")
class ChannelShuffle(Regularizer):
    """Replaces some channels of each class by those of another class of the task.

    At a depth drawn for each task, of the support set while adapting and of the queries after it:

    `h(x) <- r_c * h(x) + (1 - r_c) * h(x')`

    for x of class c and x' of class c', where `r_c` is 1 or 0 for each channel, drawn once for each
    class of the task. The label stays c. Classes stand in a random circle, in which c' follows c,
    and the k-th example of c takes from the k-th of c'. With `MetaMix` of the same `depths`,
    both act at the same depth, and the shuffled queries are mixed with the shuffled support set:
    the authors' MMCF.

    Every class needs support examples and queries.

    Args:
        probability: float in [0, 1], probability that a task is shuffled. The authors' code
            shuffles in half of the steps (and not at all in its first 5000).
        keep: float in (1/2, 1], probability that a channel stays. The authors' code replaces about
            a sixth of the channels, of all classes the same, neighboring ones; the paper draws
            each.
        depths: list of ints >= 1, where to shuffle; n is behind the n-th of the learner's `stages`.
            None: everywhere but behind the last.
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        ValueError: an argument is out of range, the learner's backbone is not that deep, or the
            learner does not classify or takes part in MaxUp, which mixes labels.

    Example:
        >>> depths = [1, 2, 3]
        >>> MAML(backbone, regularizers=[MetaMix(depths=depths), ChannelShuffle(depths=depths)])

    Reference:
        Yao et al., Improving Generalization in Meta-learning via Task Augmentation, 2021,
        https://arxiv.org/abs/2007.13040, "Channel Shuffle".
    """

    class_places: tuple[str, ...] = ()  # the layers behind which it acts, once attached

    def __init__(
        self,
        probability: float = 0.5,
        keep: float = 5 / 6,
        depths: Sequence[int] | None = None,
        subnetworks: bool = False,
    ) -> None:
        super().__init__(subnetworks)
        if not 0 <= probability <= 1:
            raise ValueError(f"`probability` must be from 0 to 1. Received: {probability}.")
        if not 0.5 < keep <= 1:
            raise ValueError(
                "`keep` must be above 1/2, for a class to stay itself, and at most 1. "
                f"Received: keep={keep}."
            )
        self.probability = probability
        self.keep = keep
        self.depths = check_depths(depths)
        if depths is not None and self.depths[0] < 1:
            raise ValueError(f"`depths` must be at least 1. Received: {depths!r}.")

    def attach(self, learner: Learner) -> None:
        if not learner.classification:
            raise ValueError("ChannelShuffle goes by classes, which a regression has none of.")
        if any(isinstance(regularizer, MaxUp) for regularizer in learner.regularizers):
            raise ValueError("ChannelShuffle goes by classes, and MaxUp mixes labels: use one.")
        depths = [depth for depth in depths_of(self.depths, learner) if depth]
        if not depths:
            raise ValueError(
                "ChannelShuffle acts between stages. Received: backbone "
                f"{learner.backbone.name!r} of a single one."
            )
        self.class_places = tuple(learner.network.stages[depth - 1].name for depth in depths)

    def class_activations(
        self, x: tf.Tensor, place: str, labels: tf.Tensor, key: tf.Tensor
    ) -> tf.Tensor:
        labels, classes = _without_gaps(labels)
        place_chosen, acts, circle, stays = self.draw(classes, x.shape[-1], key)
        acts &= place_chosen == self.class_places.index(place)
        followers = tf.gather(tf.roll(circle, -1, 0), tf.argsort(circle))
        shape = [-1, *[1] * (x.shape.rank - 2), x.shape[-1]]
        stays = tf.reshape(tf.gather(stays, labels), shape)
        return tf.where(stays | ~acts, x, tf.gather(x, _counterparts(labels, followers)))

    def draw(self, classes: tf.Tensor, channels: int, key: tf.Tensor) -> Shuffle:
        """Draws how a task is shuffled; override it to give your own.

        Args:
            classes: int32 scalar, the number of classes of the task.
            channels: int, the number of channels where the shuffle may act.
            key: stateless key, `[2]`, of the task: `learner.task_key(episode)`.

        Returns:
            A `Shuffle`, the same for the same arguments: support and queries ask separately.
        """
        shuffle_key = fold(key, "shuffle")
        return Shuffle(
            place=choose(list(range(len(self.class_places))), fold(key, "depth")),
            acts=uniform([], fold(shuffle_key, "whether")) < self.probability,
            circle=permutation(classes, fold(shuffle_key, "circle")),
            stays=uniform([classes, channels], fold(shuffle_key, "channels")) < self.keep,
        )


def _without_gaps(labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Renumbers the classes that occur from 0: returns labels `[n]` and the number of classes."""
    counts = tf.math.unsorted_segment_sum(tf.ones_like(labels), labels, tf.reduce_max(labels) + 1)
    places = tf.cumsum(tf.cast(counts > 0, tf.int32))
    return tf.gather(places, labels) - 1, places[-1]


def _counterparts(labels: tf.Tensor, followers: tf.Tensor) -> tf.Tensor:
    """Finds for each example its counterpart: the example at the same place of the next class.

    Args:
        labels: `[n]`.
        followers: `[classes]`, the next class of each class.

    Returns:
        Numbers of examples, `[n]`. In a smaller class, counting starts again at its first.
    """
    by_class = tf.argsort(labels, stable=True)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(labels), labels, tf.size(followers))
    starts = tf.cumsum(counts, exclusive=True)
    places = tf.argsort(by_class) - tf.gather(starts, labels)
    other = tf.gather(followers, labels)
    return tf.gather(by_class, tf.gather(starts, other) + places % tf.gather(counts, other))
