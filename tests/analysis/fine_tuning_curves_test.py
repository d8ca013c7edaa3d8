import numpy as np
import pytest

from tests.helpers.numpy_network import learner, plain_mlp, sampler
from tests.helpers.tasks import small_conv
from tfmgaug.analysis import fine_tuning, memorization
from tfmgaug.analysis.initialization import random_weights
from tfmgaug.engine.params import by_name
from tfmgaug.evaluation import evaluate
from tfmgaug.learners import ProtoNet
from tfmgaug.masks import CatfishMask


def test_known_networks_go_on_where_the_hat_graph_ends():
    pupil, tasks = learner(), sampler()
    arguments = {"mask": CatfishMask(), "rates": [0.3], "episodes": 3}
    curves = fine_tuning(pupil, tasks, **arguments)
    hat = memorization(pupil, tasks, **arguments)
    assert curves.steps == 8
    np.testing.assert_allclose(curves.loss[:, :2, :3], hat.loss, rtol=1e-6)
    assert [network.name for network in curves.networks][-1] == "random initialization"


def test_random_initializations_are_shared_out_in_turn():
    pupil, tasks = learner(), sampler()
    curves = fine_tuning(
        pupil, tasks, CatfishMask(), rates=[], steps=2, initializations=2, episodes=4, seed=5
    )
    for number in range(2):
        other = learner()
        other.backbone.set_weights(list(random_weights(pupil.backbone, (5, number)).values()))
        expected = evaluate(other, tasks, episodes=4, statistics="transductive")
        np.testing.assert_allclose(
            curves.loss[number::2, 1], expected.values(metric="loss")[number::2], rtol=1e-6
        )


def test_random_weights_follow_the_initializers_and_the_seed():
    backbone = small_conv()
    first, again, other = (random_weights(backbone, seed) for seed in (0, 0, 1))
    for name, variable in by_name(backbone.trainable_variables).items():
        one, same, new = first[name], again[name], other[name]
        np.testing.assert_array_equal(one, same)
        if variable.path.endswith("kernel"):
            assert (one != new).any()
            assert (one != variable.numpy()).any()
            limit = np.sqrt(
                6 / (np.prod(one.shape[:-1]) + np.prod([*one.shape[:-2], one.shape[-1]]))
            )
            assert 0.8 * limit < np.abs(one).max() <= limit or variable.path.startswith("head")
        else:
            np.testing.assert_array_equal(one, variable)


def test_learners_and_statistics_without_a_meaning_are_refused():
    with pytest.raises(ValueError, match="need inner steps"):
        fine_tuning(ProtoNet(plain_mlp(way=None)), sampler(), CatfishMask())
    with pytest.raises(ValueError, match="trained weights"):
        fine_tuning(learner(statistics="running"), sampler(), CatfishMask())
    with pytest.raises(ValueError, match="steps=0"):
        fine_tuning(learner(), sampler(), CatfishMask(), steps=0)
