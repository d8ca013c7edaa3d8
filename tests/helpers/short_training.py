"""A training run that takes a second."""

import keras
import numpy as np

from tests.helpers.tasks import dataset, flat, theta
from tests.helpers.toys import toy_classes
from tfmgaug.backbones import mlp
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.learners import FOMAML

STEPS = 3


def sampler():
    return EpisodeSampler(toy_classes(size=8), way=3, shot=1, query=2, tasks=2)


def learner(learning_rate=1e-3, augmentation=None):
    backbone = mlp(way=3, input_shape=(8, 8, 1), hidden=(8,))
    fomaml = FOMAML(
        backbone, inner_steps=2, inner_learning_rate=0.1, augmentation=augmentation, seed=3
    )
    fomaml.compile(keras.optimizers.Adam(learning_rate))
    return fomaml


def train(model, callbacks, epochs, epoch=0, validate=True):
    """Goes on at the learner's step, as the launch does."""
    tasks = sampler().tasks
    return model.fit(
        sampler().dataset(start=int(model.step) * tasks),
        steps_per_epoch=STEPS,
        initial_epoch=epoch,
        epochs=epochs,
        validation_data=sampler().dataset(start=1000, episodes=4) if validate else None,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )


def assert_one_step_moves_all_weights(learner, batch):
    """Takes an outer step, after which most entries of each weight differ, and all are finite."""
    before = theta(learner)
    learner.compile(keras.optimizers.Adam(0.01))
    logs = learner.fit(dataset(batch), verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert np.isfinite(flat(theta(learner))).all()
    for name, new in theta(learner).items():
        assert np.mean(new.numpy() != before[name].numpy()) > 0.5
