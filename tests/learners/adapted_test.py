import numpy as np
import pytest

from tests.helpers.adaptation import predicted
from tests.helpers.tasks import batch, images, regression, scatter, small_conv, smooth_mlp, task
from tfmgaug.backbones import mlp
from tfmgaug.learners import FOMAML, ProtoNet


@pytest.fixture(scope="module")
def learner():
    return scatter(FOMAML(smooth_mlp(), inner_steps=2, inner_learning_rate=0.25))


@pytest.fixture(scope="module")
def support():
    episode = task(batch())
    return episode.support_x.numpy(), episode.support_y.numpy()


def test_probabilities_sum_up_to_one(learner, support):
    found = learner.adapt(*support).predict(support[0])
    assert found.shape == (6, 3)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)


@pytest.mark.parametrize("embeds", [False, True])
def test_classes_without_support_have_probability_zero(learner, embeds, support):
    learner = scatter(ProtoNet(smooth_mlp(way=None))) if embeds else learner
    x, y = support
    found = learner.adapt(x[y != 1], y[y != 1]).predict(x)
    np.testing.assert_array_equal(found[:, 1], 0)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-6)
    assert (found[:, [0, 2]] > 0).all()


def test_any_integer_type_of_labels_will_do(learner, support):
    x, y = support
    expected = learner.adapt(x, y).predict(x)
    for labels in (y.astype("int64"), y.astype("uint8"), y.tolist()):
        np.testing.assert_array_equal(learner.adapt(x, labels).predict(x), expected)


def test_images_may_be_integers_or_floats():
    conv = FOMAML(small_conv(), inner_steps=1)
    episode = task(images())
    x, y = episode.support_x.numpy(), episode.support_y.numpy()
    adapted = conv.adapt(x, y), conv.adapt(x.astype("float32"), y)
    found = [a.predict(q) for a, q in zip(adapted, (x, x.astype("float64")))]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)


def test_regression_gives_values():
    backbone = mlp(1, (1,), hidden=(8,), dtype="float64")
    pupil = FOMAML(backbone, loss="mean_squared_error", inner_steps=2)
    episode = task(regression())
    adapted = pupil.adapt(episode.support_x, episode.support_y)
    found = adapted.predict(episode.query_x)
    before = predicted(pupil, pupil.initial_state(), episode.query_x)
    assert found.shape == (5, 1)
    assert np.abs(found - before).max() > 1e-3


def test_the_mode_is_the_learners_unless_given(learner, support):
    assert learner.adapt(*support).statistics == "transductive"
    adapted = learner.adapt(*support, statistics="support")
    assert adapted.statistics == "support"
    assert {"norm1_mean", "norm2_variance"} < set(adapted.state)


def test_adapting_follows_the_weights_as_they_train(learner, support):
    pupil = scatter(FOMAML(smooth_mlp(), inner_steps=1))
    before = pupil.adapt(*support).predict(support[0])
    scatter(pupil, seed=1)
    assert np.abs(pupil.adapt(*support).predict(support[0]) - before).max() > 1e-3


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.ones([3, 5]), [0, 1, 2], r"`support_x` of shape \('n', 4\)"),
        (np.ones([4]), [0, 1, 2, 0], r"`support_x` of shape \('n', 4\)"),
        (np.ones([3, 4]), [0, 1], "3 examples and 2 labels"),
        (np.ones([0, 4]), [], "0 examples and 0 labels"),
        (np.ones([3, 4]), [0, 1, 3], r"labels from 0 to 2\. Received: labels from 0 to 3"),
        (np.ones([3, 4]), [-1, 1, 2], "Received: labels from -1 to 2"),
        (np.ones([3, 4]), [0.0, 1.0, 2.0], "vector of integer labels"),
        (np.ones([3, 4]), np.eye(3, dtype=int), "vector of integer labels"),
    ],
)
def test_support_that_does_not_fit_is_refused(learner, x, y, message):
    with pytest.raises(ValueError, match=message):
        learner.adapt(x, y)


def test_queries_that_do_not_fit_are_refused(learner, support):
    adapted = learner.adapt(*support)
    with pytest.raises(ValueError, match="`query_x` of shape"):
        adapted.predict(support[0][0])
    with pytest.raises(ValueError, match="`statistics` must be one of"):
        learner.adapt(*support, statistics="batch")
