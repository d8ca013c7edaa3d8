import numpy as np
import pytest

from tests.helpers.adaptation import adapted, predicted
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, scatter, smooth_mlp, task, theta
from tfmgaug.engine.context import Context
from tfmgaug.learners import ProtoNet


def learner(**options):
    return scatter(ProtoNet(smooth_mlp(way=None), **options))


def embedded(pupil, x):
    outputs, _ = pupil.network(theta(pupil), x, Context())
    return outputs.numpy()


def logits_by_numpy(pupil, episode):
    """Distances to class means, one pair at a time."""
    support, query = embedded(pupil, episode.support_x), embedded(pupil, episode.query_x)
    labels = np.asarray(episode.support_y)
    prototypes = [support[labels == c].mean(0) for c in range(3)]
    if pupil.distance == "euclidean":
        return np.array([[-np.sum((q - p) ** 2) for p in prototypes] for q in query])
    norm = np.linalg.norm
    return np.array([[10 * q @ p / norm(q) / norm(p) for p in prototypes] for q in query])


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_logits_are_those_of_the_paper(distance):
    pupil, episode = learner(distance=distance), task(batch())
    state = adapted(pupil, episode)
    found = predicted(pupil, state, episode.query_x)
    np.testing.assert_allclose(found, logits_by_numpy(pupil, episode), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_the_loss_is_the_cross_entropy_of_the_queries(distance):
    pupil, episode = learner(distance=distance), task(batch())
    logits, labels = logits_by_numpy(pupil, episode), np.asarray(episode.query_y)
    log_sums = np.log(np.exp(logits).sum(1))
    outcome = task_gradient(pupil, episode).outcome
    expected = np.mean(log_sums - logits[np.arange(len(labels)), labels])
    np.testing.assert_allclose(outcome.loss, expected, rtol=1e-9)
    np.testing.assert_allclose(outcome.accuracy, np.mean(logits.argmax(1) == labels))


def test_there_is_one_outcome_and_none_before_adaptation():
    pupil = learner()
    outcomes = pupil.step_outcomes(task(batch()))
    assert outcomes["loss"].shape == (1,)
    assert pupil.training_measures == ["loss", "accuracy"]
    assert pupil._evaluation_measures() == ["loss", "accuracy"]


def test_any_number_of_ways_will_do():
    pupil = learner()
    for way in (2, 5):
        episode = task(batch(way=way))
        adapted = pupil.adapt(episode.support_x, episode.support_y)
        assert adapted.predict(episode.query_x).shape == (2 * way, way)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"distance": "manhattan"}, "`distance` must be one of"),
        ({"scale": 0.0}, "`scale` must be positive"),
        ({"loss": "mean_squared_error"}, "ProtoNet classifies"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        learner(**options)
