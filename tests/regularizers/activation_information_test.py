import functools

import keras
import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient, training_run
from tests.helpers.tasks import batch, flat, images, scatter, smooth_conv, smooth_mlp, task, theta
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.engine.params import by_name, select, without
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.masks import ParameterMask
from tfmgaug.masks.mask import at_rate
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import MRActivations

LEARNERS = {
    kind.__name__: functools.partial(kind, inner_steps=2, inner_learning_rate=0.3)
    for kind in (MAML, ANIL, BOIL, FOMAML)
}
LEARNERS["ProtoNet"] = ProtoNet


def learner(*regularizers, name="MAML", backbone=smooth_mlp, **options):
    way = None if name == "ProtoNet" else 3
    return scatter(LEARNERS[name](backbone(way=way), regularizers=regularizers, **options))


def gradient(pupil, **changed):
    return task_gradient(pupil, task(batch()), **changed).gradients


def softplus(x):
    return np.log1p(np.exp(x))


def hidden(backbone, weights, x, stage="stage2"):
    """The activations by the backbone itself, cut open by Keras."""
    model = keras.Model(backbone.inputs, backbone.get_layer(stage).output)
    weights = [weights[name] for name in by_name(model.trainable_variables)]
    return model.stateless_call(weights, model.non_trainable_variables, x, training=True)[0].numpy()


def test_the_penalty_is_the_weighted_divergence_on_the_queries_after_adaptation():
    regularizer = MRActivations(0.25)
    pupil = learner(regularizer, name="ANIL")  # whose body is what it was
    episode = task(batch())
    run = training_run(pupil, episode)
    mean = hidden(pupil.backbone, theta(pupil), episode.query_x)
    kernel, bias = (variable.numpy() for variable in regularizer.variables)
    deviation = softplus(mean @ kernel + bias)
    divergence = -np.log(deviation) + (deviation**2 + mean**2) / 2 - 0.5
    expected = 0.25 * np.mean(np.sum(divergence, axis=1))
    np.testing.assert_allclose(regularizer.penalty(run), expected, rtol=1e-10)


def test_activations_are_drawn_around_their_means():
    regularizer = MRActivations()
    learner(regularizer)
    mean = np.random.default_rng(0).normal(size=(2, 4))
    kernel, bias = (variable.numpy() for variable in regularizer.variables)
    expected = softplus(mean @ kernel + bias)
    draw = tf.function(
        lambda number: regularizer.activations(mean, "stage2", fold(key(5), number), 0)
    )
    draws = np.array([draw(tf.constant(number)) for number in range(600)])
    standard = (draws - mean) / expected
    assert np.abs(standard.mean(0)).max() < 4.5 / np.sqrt(600)
    np.testing.assert_allclose(standard.std(0), 1, atol=4.5 / np.sqrt(1200))
    assert scipy.stats.kstest(standard.ravel(), "norm").pvalue > 1e-3


def test_the_deviation_starts_where_it_is_told():
    regularizer = MRActivations(initial_deviation=0.2)
    MAML(smooth_mlp(), regularizers=[regularizer])
    mean = tf.zeros([3000, 4], tf.float64) + 5.0
    drawn = regularizer.activations(mean, "stage2", key(0), 0)
    np.testing.assert_allclose(np.std(drawn, axis=0), 0.2, rtol=0.06)


@pytest.mark.parametrize("name", ["MAML", "ANIL", "ProtoNet"])
def test_without_weight_and_deviation_it_is_the_plain_learner(name):
    plain = learner(name=name)
    regularizer = MRActivations(0.0, initial_deviation=1e-150)
    regularized = LEARNERS[name](plain.backbone, regularizers=[regularizer])
    results = [task_gradient(one, task(batch())) for one in (plain, regularized)]
    np.testing.assert_array_equal(*[one.outcome.loss for one in results])
    np.testing.assert_array_equal(*[flat(one.statistics) for one in results])
    # Gradients of a mean and of what is drawn around it add up in another order.
    found = flat(select(results[1].gradients, theta(plain)))
    np.testing.assert_allclose(found, flat(results[0].gradients), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("name", ["MAML", "ANIL", "BOIL", "ProtoNet"])
def test_meta_gradients_equal_finite_differences(name):
    pupil = learner(MRActivations(0.05, depth=1), name=name, statistics="support")
    assert len(pupil.meta_variables) == len(pupil.method_variables) + 2
    assert_gradient_is_exact(pupil, task(batch()))


def test_meta_gradients_behind_a_convolution_equal_finite_differences():
    pupil = learner(MRActivations(0.05, depth=2), name="ANIL", backbone=smooth_conv)
    assert_gradient_is_exact(pupil, task(images()), directions=1)


def test_another_depth_is_another_place():
    places = []
    for depth in (1, 2, None):
        regularizer = MRActivations(depth=depth)
        MAML(smooth_mlp(), regularizers=[regularizer])
        places += regularizer.places
    assert places == ["stage1", "stage2", "stage2"]


def test_steps_that_run_again_draw_the_same_activations():
    once, again = (
        learner(MRActivations(0.05), recompute_inner_steps=recompute) for recompute in (False, True)
    )
    np.testing.assert_allclose(flat(gradient(again)), flat(gradient(once)), rtol=1e-9, atol=1e-13)


def test_evaluation_takes_the_means():
    plain = learner()
    regularized = LEARNERS["MAML"](plain.backbone, regularizers=[MRActivations()])
    measured = [pupil.step_outcomes(task(batch()))["loss"] for pupil in (plain, regularized)]
    np.testing.assert_array_equal(*measured)


def test_subnetworks_are_left_alone_by_default():
    pupil = learner(MRActivations(), augmentation=MGAug(ParameterMask(0.5)))
    plain = LEARNERS["MAML"](pupil.backbone)
    masks = pupil.augmentation.mask.draw(theta(pupil), None, at_rate(0.5))
    prune = functools.partial(pupil.augmentation.mask, masks=masks)
    found, expected = (gradient(one, weight_transform=prune) for one in (pupil, plain))
    np.testing.assert_array_equal(flat(select(found, expected)), flat(expected))
    assert len(found) == len(expected) + 2
    assert all(np.abs(g).max() == 0 for g in without(found, expected).values())


@pytest.mark.parametrize("depth", [None, 3])
def test_the_logits_are_no_place_for_noise(depth):
    backbone = mlp(3, (4,), hidden=(2, 2))
    if depth is None:
        backbone = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="before the one that makes the logits or embeddings"):
        MAML(backbone, regularizers=[MRActivations(depth=depth)])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"weight": -1}, "weight"),
        ({"depth": 0}, "depth"),
        ({"initial_deviation": 0.0}, "initial_deviation"),
    ],
)
def test_impossible_arguments_are_refused(options, name):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        MRActivations(**options)
