import numpy as np
import pytest

from tests.helpers.numpy_network import NumpyNetwork, learner, plain_mlp, sampler
from tfmgaug.analysis import TaskGradients, last_feature_weight
from tfmgaug.learners import ANIL, BOIL, MAML, MetaTicket, ProtoNet
from tfmgaug.masks import MagnitudeMask, ScoreMask


def expected(weights, mask, number):
    """Gradients of the two kernels at the masked weights, as the chain rule passes them on."""
    network = NumpyNetwork(learner().backbone)
    episode = sampler().episode(number)
    pruned = [w * m for w, m in zip(weights, (mask, 1, 1, 1))]
    gradients = network.gradient(episode.support_x, episode.support_y, pruned)
    return [gradients[0] * mask, gradients[2]]


def check(pupil, mask):
    report = TaskGradients(pupil, sampler(), episodes=3)()
    assert report.layers == ("dense1_kernel", "head_kernel")
    weights = [variable.numpy() for variable in pupil.backbone.trainable_variables]
    for number in range(3):
        for place, gradient in enumerate(expected(weights, mask, number)):
            measured = {name: values[number, place] for name, values in report.values.items()}
            np.testing.assert_allclose(measured["norm"], np.linalg.norm(gradient), rtol=1e-6)
            np.testing.assert_allclose(
                measured["mean_absolute"], np.abs(gradient).mean(), rtol=1e-6
            )
            kept = np.abs(gradient[mask == 1] if place == 0 else gradient).mean()
            np.testing.assert_allclose(measured["mean_absolute_kept"], kept, rtol=1e-6)


@pytest.mark.parametrize("kind", [MAML, ANIL, BOIL])
def test_gradients_are_those_of_numpy_whatever_the_inner_loop_adapts(kind):
    check(learner(kind), np.ones((16, 6)))


def test_a_tickets_gradients_are_taken_through_its_mask():
    pupil = learner(MetaTicket, score_mask=ScoreMask(0.5))
    mask = np.asarray(pupil.score_mask.masks()["dense1_kernel"])
    assert 0.4 < mask.mean() < 0.6
    check(pupil, mask)


@pytest.mark.parametrize("released", [True, False])
def test_gradients_of_a_magnitude_mask_are_over_what_it_keeps_at_present(released):
    pupil = learner(MAML, magnitude_mask=MagnitudeMask(0.25))
    pupil.magnitude_mask.prune()
    if released:
        pupil.magnitude_mask.release()
    report = TaskGradients(pupil, sampler(), episodes=3)()
    shares = [1.0, 1.0] if released else [72 / 96, 14 / 18]  # floor(rate * n) are pruned
    kept, means = (report.values[name] for name in ("mean_absolute_kept", "mean_absolute"))
    np.testing.assert_allclose(kept, means / shares)


def test_a_layer_of_which_nothing_is_kept_has_gradient_zero():
    pupil = learner(MetaTicket)
    pupil.score_mask.set_masks({"dense1_kernel": np.zeros((16, 6), bool)})
    kept = TaskGradients(pupil, sampler(), episodes=2)().values["mean_absolute_kept"]
    np.testing.assert_array_equal(kept[:, 0], 0)


def test_another_call_sees_the_weights_as_they_are_then():
    pupil = learner(MAML)
    measure = TaskGradients(pupil, sampler(), episodes=2)
    before = measure().values["norm"]
    pupil.backbone.trainable_variables[0].assign_add(np.full((16, 6), 0.3))
    assert (before != measure().values["norm"]).all()


def test_the_last_feature_weight_stands_in_front_of_the_classifier():
    assert last_feature_weight(learner(MAML)) == "dense1_kernel"
    assert last_feature_weight(ProtoNet(plain_mlp(way=None))) == "dense1_kernel"


def test_learners_without_an_inner_loop_and_single_tasks_are_refused():
    with pytest.raises(ValueError, match="without inner steps"):
        TaskGradients(ProtoNet(plain_mlp(way=None)), sampler())
    with pytest.raises(ValueError, match="at least 2"):
        TaskGradients(learner(MAML), sampler(), episodes=1)
