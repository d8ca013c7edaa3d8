import numpy as np

from tests.helpers.tasks import images, scatter, small_conv
from tfmgaug import MGAug
from tfmgaug.learners import FOMAML, Reptile
from tfmgaug.masks import WidthMask, cut


def learner(backbone, augmentation=None, kind=FOMAML, **options):
    return kind(backbone, inner_steps=2, inner_learning_rate=0.1, augmentation=augmentation)


def losses(learner, name):
    return learner.meta_gradients(images(2), with_measures=True)[1][name].numpy()


def test_the_loss_of_subnetworks_is_that_of_the_network_that_is_cut():
    backbone = small_conv()
    pupil = scatter(learner(backbone, MGAug(WidthMask(0.5), subnetworks=2)))
    smaller = learner(cut(pupil.backbone, 0.5))
    found = losses(pupil, "loss_subnetworks")
    np.testing.assert_allclose(found, losses(smaller, "loss"), rtol=1e-5)
    assert np.abs(found - losses(pupil, "loss")).min() > 1e-3


def test_there_is_no_loss_of_subnetworks_before_they_take_part():
    augmentation = MGAug(WidthMask(0.5), subnetworks=2, start_step=1)
    pupil = learner(small_conv(), augmentation)
    np.testing.assert_array_equal(losses(pupil, "loss_subnetworks"), 0)
    pupil.step.assign(1)
    assert losses(pupil, "loss_subnetworks").min() > 0


def test_a_learner_without_an_outer_loss_reports_none_of_subnetworks():
    pupil = learner(small_conv(), MGAug(WidthMask(0.5)), Reptile)
    assert "loss_subnetworks" not in pupil.training_measures
