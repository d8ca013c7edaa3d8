"""Meta-MaxUp: training on the worst of several augmentations of a task."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import keras
import tensorflow as tf

from tfmgaug.engine.task import TaskRun
from tfmgaug.episode import Episode, Outcome
from tfmgaug.losses import Mixed
from tfmgaug.randomness import choose, fold
from tfmgaug.regularizers.cutmix import CutMix
from tfmgaug.regularizers.random_erase import RandomErase
from tfmgaug.regularizers.regularizer import Regularizer
from tfmgaug.regularizers.rotate_classes import RotateClasses
from tfmgaug.regularizers.task_augmentation import OnQuery, OnSupport, TaskAugmentation
from tfmgaug.types import Learner

_Chains = list[list[TaskAugmentation]]  # each applied one after the other


def default_pool() -> list[TaskAugmentation | list[TaskAugmentation]]:
    """Returns the authors' pool: a new list of augmentations and of pairs of them."""
    return [
        CutMix(),
        OnQuery(RandomErase()),
        OnSupport(RandomErase()),
        RotateClasses(),
        [RotateClasses(), CutMix()],
        [RotateClasses(), OnQuery(RandomErase())],
    ]


@keras.saving.register_keras_serializable("tfmgaug")
class MaxUp(Regularizer):
    """Augments each task m times, and trains on the worst.

    `loss <- max_{i=1..m} L(task_i)`, where `task_i` is the task under an augmentation drawn from
    the pool, with draws of its own, and L the loss of its queries after adaptation to its support
    set. With `maximum="query"`, each query takes the loss of the augmentation that is worst for it:
    `loss <- mean_j max_i L_j(task_i)`.

    Per task, m losses are computed without gradients and one task is trained on, augmented: it is
    also what penalties see and what is reported. Per query, gradients flow through m adaptations,
    with the memory of m tasks; accuracy is that at the worst augmentations, penalties see the task
    as it is. Running statistics are those of the task that penalties see.

    Of what the authors augment by, mixing an image with itself, MixUp, dropping channels,
    solarizing, shearing and small rotations are left out, and so is shot augmentation, which
    multiplies the support set. Crops, color jitter and flips: `OnQuery(tfmgaug.data.Augment())`.

    Args:
        m: int >= 1, augmentations of each task.
        pool: list of `TaskAugmentation` (`CutMix`, `RotateClasses`, `OnQuery`, `OnSupport`), each
            as likely as the others; a list among them is applied one after the other. None: the
            pool of the authors' code.
        maximum: over what the worst is taken: "task" (the paper) or "query" (the authors' code).
        subnetworks: bool, whether it acts on MGAug's sub-networks too.

    Raises:
        TypeError: there is something else in the pool.
        ValueError: an argument is out of range, the learner's inputs are no images, an augmentation
            has no meaning for them, or the learner has another MaxUp.

    Example:
        >>> ProtoNet(backbone, regularizers=[MaxUp(m=4)])
        >>> MaxUp(pool=[CutMix(), OnQuery(Augment(flip=False))])

    Reference:
        Ni et al., Data Augmentation for Meta-Learning, 2021, https://arxiv.org/abs/2010.07092,
        "Meta-MaxUp".
    """

    def __init__(
        self,
        m: int = 4,
        pool: Sequence[TaskAugmentation | list[TaskAugmentation]] | None = None,
        maximum: Literal["task", "query"] = "task",
        subnetworks: bool = False,
    ) -> None:
        super().__init__(subnetworks)
        if not isinstance(m, int) or m < 1:
            raise ValueError(f"`m` must be an int >= 1. Received: m={m!r}.")
        if maximum not in ("task", "query"):
            raise ValueError(f"`maximum` must be 'task' or 'query'. Received: {maximum!r}.")
        self.m = m
        self.pool = default_pool() if pool is None else list(pool)
        self.maximum = maximum
        # Per task, the episode is chosen beforehand; per query, its loss is measured otherwise.
        if maximum == "task":
            self.episode = self._worst_task
        else:
            self.outcome = self._worst_queries
        self._chains = [entry if isinstance(entry, list) else [entry] for entry in self.pool]
        _check_pool(self._chains)

    def attach(self, learner: Learner) -> None:
        if len(learner.image_shape) != 3:
            raise ValueError(
                "MaxUp augments images. Received: a backbone for inputs of shape "
                f"{tuple(learner.image_shape)}."
            )
        if sum(isinstance(regularizer, MaxUp) for regularizer in learner.regularizers) > 1:
            raise ValueError("One MaxUp is enough: give it a larger pool. Received: several.")
        for augmentation in (entry for chain in self._chains for entry in chain):
            augmentation.check(learner)

    def _worst_task(
        self, episode: Episode, key: tf.Tensor, loss_of: Callable[[Episode], tf.Tensor]
    ) -> Episode:
        augmented = self._augmentations(episode, key)
        worst = 0
        if self.m > 1:
            losses = _loop(lambda task: tf.cast(loss_of(task), tf.float32), augmented, tf.float32)
            worst = tf.argmax(losses)
        return tf.nest.map_structure(lambda part: part[worst], augmented)

    def _worst_queries(self, run: TaskRun) -> Outcome:
        def measure(episode):
            return tuple(run.learner.outcomes(run.on(episode).logits, episode.query_y))

        augmented = self._augmentations(run.episode, fold(run.key, "augmentations"))
        double = run.learner.backbone.outputs[0].dtype == "float64"
        losses, hits = _loop(measure, augmented, (tf.float64 if double else tf.float32, tf.float32))
        worst = tf.argmax(losses, axis=0)  # [queries]
        return Outcome(
            tf.reduce_mean(tf.reduce_max(losses, axis=0)),
            tf.reduce_mean(tf.gather(tf.transpose(hits), worst, batch_dims=1)),
        )

    def _augmentations(self, episode: Episode, key: tf.Tensor) -> Episode:
        """Returns the task under m augmentations: an `Episode` with a leading axis."""

        def augmented(number):
            augmentation_key = fold(key, number)
            branches = [
                functools.partial(_apply, chain, episode, augmentation_key)
                for chain in self._chains
            ]
            return tf.switch_case(self.draw(number, augmentation_key), branches)

        like = _with_mixed_labels(tf.nest.map_structure(tf.convert_to_tensor, episode))
        signature = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape, part.dtype), like)
        return _loop(augmented, tf.range(self.m), signature)

    def draw(self, number: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Draws an augmentation of the pool; override it to give your own.

        Args:
            number: int32 scalar, which of the m augmentations of a task it is for, from 0.
            key: stateless key, `[2]`, of this augmentation of the task.

        Returns:
            An int32 scalar, the number of an augmentation in the pool.
        """
        return choose(list(range(len(self._chains))), fold(key, "pool"))


def _loop(function: Callable, elements: Any, signature: Any) -> Any:
    # One at a time: what runs side by side are tasks.
    return tf.map_fn(function, elements, fn_output_signature=signature, parallel_iterations=1)


def _apply(chain: list[TaskAugmentation], episode: Episode, key: tf.Tensor) -> Episode:
    for place, augmentation in enumerate(chain):
        episode = augmentation(episode, fold(key, place))
    return _with_mixed_labels(episode)


def _with_mixed_labels(episode: Episode) -> Episode:
    # Alike for all of the pool, so that one can be picked in the graph.
    if isinstance(episode.query_y, Mixed):
        return episode
    return episode._replace(query_y=Mixed(episode.query_y, episode.query_y, tf.constant(1.0)))


def _check_pool(chains: _Chains) -> None:
    if not chains or not all(chains):
        raise ValueError("`pool` must hold augmentations. Received: an empty list.")
    for chain in chains:
        for augmentation in chain:
            if not isinstance(augmentation, TaskAugmentation):
                raise TypeError(
                    "`pool` must be of TaskAugmentation, such as CutMix() or OnQuery(augment), or "
                    f"of lists of them. Received: {augmentation!r}."
                )
        if any(augmentation.mixes for augmentation in chain[:-1]):
            raise ValueError(
                "What mixes labels must come last in a list: the others go by labels. Received: "
                f"{', '.join(type(entry).__name__ for entry in chain)}."
            )
