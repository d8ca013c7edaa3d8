"""Random tasks, and backbones small enough to learn them in a moment."""

import numpy as np
import tensorflow as tf

from tfmgaug.backbones import conv4, mlp
from tfmgaug.episode import Episode
from tfmgaug.learners.batches import to_episodes

WAY, SHOT, QUERY = 3, 2, 2


def batch(tasks=2, shape=(4,), way=WAY, shot=SHOT, query=QUERY, seed=0, first=0):
    """A batch of classification tasks as `fit` takes it; vectors, or uint8 images."""
    draws = np.random.default_rng(seed)
    patterns = draws.normal(size=(tasks, way, 1, *shape))

    def examples(number):
        x = patterns + 0.5 * draws.normal(size=(tasks, way, number, *shape))
        x = x.reshape(tasks, way * number, *shape)
        return np.clip(127 + 60 * x, 0, 255).astype("uint8") if len(shape) == 3 else x

    def labels(number):
        return np.tile(np.repeat(np.arange(way, dtype="int32"), number), (tasks, 1))

    inputs = {"support_x": examples(shot), "support_y": labels(shot), "query_x": examples(query)}
    inputs["index"] = np.arange(first, first + tasks, dtype="int64")
    return inputs, labels(query)


def images(tasks=2, **options):
    return batch(tasks, shape=(16, 16, 1), **options)


def regression(tasks=2, seed=0):
    """A batch of sinusoid tasks."""
    draws = np.random.default_rng(seed)
    x = draws.uniform(-2, 2, size=(tasks, 10, 1))
    y = draws.uniform(1, 2, size=(tasks, 1, 1)) * np.sin(x + draws.uniform(size=(tasks, 1, 1)))
    inputs = {"support_x": x[:, :5], "support_y": y[:, :5], "query_x": x[:, 5:]}
    return {**inputs, "index": np.arange(tasks)}, y[:, 5:]


def task(batch, number=0):
    """One task of a batch."""
    return Episode(*[part[number] for part in to_episodes(batch)])


def chosen(batch, numbers):
    """The batch of the tasks with these numbers."""
    inputs, query_y = batch
    return {name: value[numbers] for name, value in inputs.items()}, query_y[numbers]


def dataset(batch, repeat=1):
    return tf.data.Dataset.from_tensors(batch).repeat(repeat)


def smooth_mlp(way=WAY, dtype="float64", **options):
    """A network without kinks, which finite differences can judge."""
    return mlp(way, (4,), hidden=(5, 4), activation="tanh", dtype=dtype, **options)


def smooth_conv(way=WAY, dtype="float64", filters=4, size=16):
    shape = (size, size, 1)
    return conv4(way, shape, filters, activation="tanh", pooling="average", dtype=dtype)


def small_conv(way=WAY, filters=4, **options):
    return conv4(way, (16, 16, 1), filters, **options)


def theta(learner):
    return learner.meta_params


def scatter(learner, seed=0, scale=0.3):
    """Moves every meta-variable off its start, so that no gamma is one and no beta zero."""
    draws = np.random.default_rng(seed)
    for variable in learner.meta_variables:
        variable.assign(variable + scale * draws.normal(size=variable.shape))
    return learner


def flat(tensors):
    """All entries of tensors, in a list or by name, one after the other."""
    tensors = tensors.values() if isinstance(tensors, dict) else tensors
    return np.concatenate([np.ravel(tensor) for tensor in tensors])
