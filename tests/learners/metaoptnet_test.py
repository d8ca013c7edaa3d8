import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted, predicted
from tests.helpers.tasks import batch, dataset, flat, scatter, small_conv, smooth_mlp, task, theta
from tests.learners.gradients_test import assert_gradient_is_exact
from tfmgaug.engine.context import Context
from tfmgaug.heads import RidgeHead, SVMHead
from tfmgaug.learners import MetaOptNet

HEADS = {"svm": SVMHead, "ridge": lambda: RidgeHead(2.0)}


def learner(head="svm", backbone=None, **options):
    backbone = backbone or smooth_mlp(way=None)
    return scatter(MetaOptNet(backbone, head=HEADS[head](), **options), scale=0.2)


@pytest.mark.parametrize("head", HEADS)
def test_logits_are_scaled_kernels_times_coefficients(head):
    pupil, episode = learner(head, initial_scale=3.0), task(batch())
    support, query = (
        pupil.network(pupil.network.params, x, Context())[0].numpy()
        for x in (episode.support_x, episode.query_x)
    )
    hot = np.eye(3)[episode.support_y]
    coefficients = pupil.head.coefficients(tf.constant(support @ support.T), tf.constant(hot))
    state = adapted(pupil, episode)
    found = predicted(pupil, state, episode.query_x)
    expected = float(pupil.scale.numpy()) * query @ support.T @ coefficients.numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("statistics", ["transductive", "support"])
@pytest.mark.parametrize("head", HEADS)
def test_meta_gradients_equal_finite_differences(head, statistics):
    assert_gradient_is_exact(learner(head, statistics=statistics), task(batch()), directions=2)


def test_any_number_of_ways_and_shots_will_do():
    pupil = learner()
    for way, shot in ((2, 1), (5, 3)):
        episode = task(batch(way=way, shot=shot))
        adapted = pupil.adapt(episode.support_x, episode.support_y)
        assert adapted.predict(episode.query_x).shape == (2 * way, way)


def test_the_scale_is_learned_and_saved(tmp_path):
    pupil = MetaOptNet(small_conv(way=None), head=RidgeHead(7.0), initial_scale=2.0)
    pupil.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    pupil.fit(dataset(batch(shape=(16, 16, 1))), verbose=0)
    assert float(pupil.scale.numpy()) != 2.0
    pupil.save(tmp_path / "x.keras")
    copy = keras.models.load_model(tmp_path / "x.keras")
    assert copy.head.regularization == 7.0
    np.testing.assert_array_equal(flat(theta(copy)), flat(theta(pupil)))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"head": "svm"}, TypeError, "`head` must be a tfmgaug.heads.Head"),
        ({"initial_scale": 0.0}, ValueError, "`initial_scale` must be positive"),
        ({"loss": "mean_squared_error"}, ValueError, "MetaOptNet classifies"),
    ],
)
def test_impossible_arguments_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        MetaOptNet(smooth_mlp(way=None), **options)
