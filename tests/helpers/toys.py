"""A data set and a learner whose outcomes are known."""

import types

import numpy as np
import tensorflow as tf


def toy_classes(classes=6, images=8, size=8, noise=10.0, seed=0):
    """Images by class, as `tfmgaug.data` gives them: a random pattern a class, and noise."""
    draws = np.random.default_rng(seed)
    patterns = draws.uniform(0, 255, [classes, 1, size, size, 1])
    noisy = patterns + draws.normal(0, noise, [classes, images, size, size, 1])
    return types.SimpleNamespace(
        images=np.clip(noisy, 0, 255).astype(np.uint8).reshape(-1, size, size, 1),
        offsets=np.arange(classes + 1) * images,
        counts=np.full(classes, images),
        class_names=tuple(f"class {k}" for k in range(classes)),
        name="toy/test",
        image_shape=(size, size, 1),
    )


class IndexLearner:
    """Its accuracy after step s is index + s, in support mode negative; it counts its traces."""

    evaluation_steps = 2
    classification = True
    way = None

    def __init__(self):
        self.traces = 0

    def step_outcomes(self, episode, statistics):
        self.traces += 1
        steps = tf.range(self.evaluation_steps + 1, dtype=tf.float32)
        sign = -1.0 if statistics == "support" else 1.0
        accuracy = sign * (tf.cast(episode.index, tf.float32) + steps)
        measured = {"loss": 2 * accuracy, "accuracy": accuracy}
        return measured if self.classification else {"loss": measured["loss"]}
