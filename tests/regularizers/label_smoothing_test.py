import numpy as np
import pytest

from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import batch, scatter, smooth_mlp, task, theta
from tfmgaug.backbones import mlp
from tfmgaug.engine import prediction
from tfmgaug.engine.context import Context
from tfmgaug.learners import MAML, ProtoNet
from tfmgaug.regularizers import LabelSmoothing


def learner(*regularizers):
    return scatter(ProtoNet(smooth_mlp(way=None), regularizers=regularizers))


def test_the_loss_is_the_cross_entropy_to_smoothed_labels():
    pupil, episode = learner(LabelSmoothing(0.3)), task(batch())
    state = pupil.adapted_state(episode.support_x, episode.support_y)
    logits = prediction.query(pupil, state, episode.query_x, Context())[0].numpy()
    logs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    hot = np.eye(3)[episode.query_y]
    expected = -np.mean(np.sum((0.7 * hot + 0.15 * (1 - hot)) * logs, 1))
    outcome = task_gradient(pupil, episode).outcome
    np.testing.assert_allclose(outcome.loss, expected, rtol=1e-9)
    plain = task_gradient(learner(), episode, theta(pupil)).outcome
    assert abs(float(plain.loss) - expected) > 1e-3
    assert plain.accuracy == outcome.accuracy
    np.testing.assert_allclose(pupil.step_outcomes(episode)["loss"], [plain.loss], rtol=1e-6)


def test_impossible_uses_are_refused():
    with pytest.raises(ValueError, match="`rate` must be from 0 to below 1"):
        LabelSmoothing(1.0)
    with pytest.raises(ValueError, match="a regression has none of"):
        MAML(mlp(1, (1,)), loss="mean_squared_error", regularizers=[LabelSmoothing()])
