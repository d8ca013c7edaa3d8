"""Grad-CAM: the parts of an image that a network and its sub-networks look at."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

from tfmgaug import batch_statistics
from tfmgaug.analysis import subnetworks
from tfmgaug.analysis.attention_maps.report import Attention
from tfmgaug.engine import prediction
from tfmgaug.engine.context import Context
from tfmgaug.episode import Episode
from tfmgaug.learners.batches import to_episodes
from tfmgaug.masks.mask import Mask
from tfmgaug.types import Learner, Tensor


def attention(
    learner: Learner,
    episode: Episode,
    mask: Mask,
    rates: Sequence[float] | float = (0.005, 0.02, 0.05),
    queries: Sequence[int] | None = None,
    target: Literal["label", "prediction"] = "label",
    stage: str | None = None,
    statistics: str | None = None,
    seed: int = 0,
    name: str | None = None,
) -> Attention:
    """Explains predictions of adapted networks by Grad-CAM, full and pruned side by side.

    `a_k = mean over positions of d logit_c / d A_k`, `map = relu(sum_k a_k A_k)`, where `A_k` are
    the feature maps of a stage. Each network is pruned before its inner loop and adapts on the
    task's support set (catfish masks READ THE QUERIES' LABELS).

    Args:
        learner: `MetaLearner` that classifies images.
        episode: `Episode` of one task.
        mask: `CatfishMask`, `ParameterMask` or `WidthMask`, whose own rates are not used.
        rates: list of floats in (0, 1), pruning rates.
        queries: list of ints >= 0, the queries to explain; None: the first of each class.
        target: which class is explained: "label", the query's own, or "prediction", what each
            network takes it for.
        stage: name of one of the backbone's stages (`tfmgaug.backbones.stages`); None: the last
            whose feature maps have more than one position. (Conv-4 leaves a single one of 28 x 28
            pixels.)
        statistics: batch-statistics mode of the queries; None: the learner's own. One of
            "transductive", "support" and "running". Normalization always sees the task's whole
            query set.
        seed: int >= 0, seed of random masks.
        name: of the result; by default the learner's class.

    Returns:
        An `Attention`.

    Raises:
        ValueError: the learner does not classify images, or an argument is out of range.

    Example:
        >>> maps = attention(learner, tasks.episode(0), tfmgaug.masks.CatfishMask())
        >>> tfmgaug.figures.save(tfmgaug.figures.attention_grid(maps), "attention.png")

    Reference:
        Selvaraju et al., 2020, https://arxiv.org/abs/1610.02391, Eqs. 1 and 2.
        Wang et al., MGAug, Section 5.3 and Figure 7.
    """
    _check(learner, target)
    rates = subnetworks.checked_rates(rates)
    mode = batch_statistics.check_stagewise(statistics or learner.statistics)
    mask = subnetworks.attached(mask, learner)
    episode = _one_task(learner, episode)
    chosen = _checked_queries(queries, episode)
    depth = _depth(learner.network.stages, episode.query_x.shape[1:], stage)

    @tf.function(autograph=False)
    def explained():
        theta = learner.meta_params
        with learner.scope(theta):
            gradients = subnetworks.scoring_gradients(learner, mask, theta, episode)

            def explain(rate):
                masks = subnetworks.draw(learner, mask, theta, gradients, rate, episode, seed)
                context = Context(subnetworks.pruning(mask, masks), mode)
                return _explain(learner, depth, episode, context, chosen, target)

            # Rate 0 prunes nothing.
            return tf.map_fn(
                explain,
                tf.constant([0.0, *rates], tf.float64),
                fn_output_signature=(tf.float32, tf.int32, tf.float32),
                parallel_iterations=1,
            )

    maps, targets, probabilities = (
        tensor.numpy() for tensor in explained.get_concrete_function()()
    )
    return Attention(
        name=name or type(learner).__name__,
        stage=learner.network.stages[depth].name,
        networks=subnetworks.networks(learner, mask, rates),
        mask=type(mask).__name__,
        statistics=mode,
        images=episode.query_x.numpy()[chosen],
        labels=episode.query_y.numpy()[chosen],
        targets=targets,
        probabilities=probabilities,
        maps=maps,
    )


def _depth(stages, image_shape, name):
    """The number of the stage that is explained."""
    positions, shape = {}, (1, *image_shape)
    for number, stage in enumerate(stages):
        shape = stage.compute_output_shape(shape)
        if len(shape) == 4 and shape[1] * shape[2] > 1:
            positions[stage.name] = number
    if not positions:
        raise ValueError(
            "Grad-CAM needs feature maps with more than one position. Received: a backbone that "
            f"has none for images {tuple(image_shape)}."
        )
    if name is not None and name not in positions:
        raise ValueError(
            "`stage` must have feature maps with more than one position: one of "
            f"{list(positions)}. Received: {name!r}."
        )
    return positions[name or list(positions)[-1]]


def _explain(learner, depth, episode, context, chosen, target):
    """Maps, targets and probabilities of one network, adapted to the task."""
    support = episode.support_x, episode.support_y
    start = learner.initial_state(context.starting_from(*support))
    state = learner.adapt_state(start, *support, context)

    def through(x, stages):
        for stage in stages:
            x, _ = prediction.forward(learner, state, x, context, stage)
        return x

    stages = learner.network.stages
    features = through(learner.network.as_input(episode.query_x), stages[: depth + 1])
    with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(features)
        logits = learner.logits(through(features, stages[depth + 1 :]), state)
        labels = episode.query_y if target == "label" else tf.argmax(logits, -1, tf.int32)
        picked = [logits[query, labels[query]] for query in chosen]
    # One query at a time: normalization behind the stage would mix their gradients.
    maps = [
        grad_cam(features[query], tape.gradient(logit, features)[query])
        for query, logit in zip(chosen, picked)
    ]
    return (
        tf.cast(tf.stack(maps), tf.float32),
        tf.gather(labels, chosen),
        tf.cast(tf.gather(tf.nn.softmax(logits), chosen), tf.float32),
    )


def grad_cam(features: Tensor, gradient: Tensor) -> Tensor:
    """Weights feature maps by the mean of their gradient.

    Args:
        features: `[height, width, channels]`.
        gradient: of a logit, shaped alike.

    Returns:
        A tensor `[height, width]`, not negative.
    """
    importance = tf.reduce_mean(gradient, axis=[0, 1])
    return tf.nn.relu(tf.reduce_sum(importance * features, axis=-1))


def _check(learner, target):
    if target not in ("label", "prediction"):
        raise ValueError(f"`target` must be 'label' or 'prediction'. Received: {target!r}.")
    if not learner.classification or len(learner.example_shape) != 3:
        raise ValueError(
            "Grad-CAM explains how images are classified. Received: a learner of examples "
            f"{learner.example_shape} with the loss {learner.loss_fn.name!r}."
        )


def _one_task(learner, episode):
    batch = {
        name: np.asarray(getattr(episode, name))[np.newaxis]
        for name in ("support_x", "support_y", "query_x", "index")
    }
    episodes = to_episodes((batch, np.asarray(episode.query_y)[np.newaxis]), True, learner.way)
    return type(episodes)(*[part[0] for part in episodes])


def _checked_queries(queries, episode):
    labels = episode.query_y.numpy()
    if queries is None:
        return [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)]
    queries = [int(query) for query in queries]
    if not queries or min(queries) < 0 or max(queries) >= len(labels):
        raise ValueError(
            f"`queries` must be numbers from 0 to {len(labels) - 1}, at least one. "
            f"Received: {queries}."
        )
    return queries
