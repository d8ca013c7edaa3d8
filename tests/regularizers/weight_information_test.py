import functools

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import tensorflow as tf

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient, training_run
from tests.helpers.tasks import batch, flat, scatter, smooth_mlp, task, theta
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.engine.params import select
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, ProtoNet
from tfmgaug.masks import ParameterMask
from tfmgaug.masks.mask import at_rate
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import MRWeights
from tfmgaug.regularizers.divergence import from_standard_normal

LEARNERS = {
    kind.__name__: functools.partial(kind, inner_steps=2, inner_learning_rate=0.3)
    for kind in (MAML, ANIL, BOIL, FOMAML)
}
LEARNERS["ProtoNet"] = ProtoNet


def learner(*regularizers, name="MAML", **options):
    backbone = smooth_mlp(way=None if name == "ProtoNet" else 3)
    return scatter(LEARNERS[name](backbone, regularizers=regularizers, **options))


def gradient(pupil, **changed):
    return task_gradient(pupil, task(batch()), **changed).gradients


def own(pupil, gradients):
    """The part of gradients that is of the learner's own variables."""
    return flat(select(gradients, pupil.named(pupil.method_variables)))


def test_the_divergence_equals_its_integral():
    for mean, deviation in ((0.0, 1.0), (0.3, 0.05), (-1.5, 2.0)):
        density = scipy.stats.norm(mean, deviation)
        expected, _ = scipy.integrate.quad(
            lambda x, p=density: p.pdf(x) * (p.logpdf(x) - scipy.stats.norm.logpdf(x)),
            mean - 10 * deviation,
            mean + 10 * deviation,
        )
        found = from_standard_normal(tf.constant(mean, tf.float64), 2 * np.log(deviation))
        np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)


def test_the_penalty_is_the_weighted_divergence_of_hidden_kernels():
    pupil = learner(MRWeights(0.25))
    run = training_run(pupil, task(batch()))
    kernels = [pupil.backbone.get_layer(name).kernel for name in ("dense1", "dense2")]
    means = np.concatenate([np.ravel(kernel) for kernel in kernels])
    deviations = np.exp(flat(pupil.regularizers[0].variables) / 2)
    expected = 0.25 * np.sum(-np.log(deviations) + (deviations**2 + means**2) / 2 - 0.5)
    np.testing.assert_allclose(pupil.regularizers[0].penalty(run), expected, rtol=1e-10)


def test_hidden_kernels_are_drawn_around_their_means():
    regularizer = MRWeights(initial_deviation=0.2)
    pupil = LEARNERS["MAML"](smooth_mlp(), regularizers=[regularizer])
    means = pupil.network.params
    draw = tf.function(lambda number: regularizer.weights(means, fold(key(5), number)))
    draws = [draw(tf.constant(number)) for number in range(400)]
    for name, mean in means.items():
        drawn = [draw[name] for draw in draws]
        if name in ("dense1_kernel", "dense2_kernel"):
            np.testing.assert_allclose(np.mean(drawn, 0), mean, atol=5 * 0.2 / np.sqrt(400))
            np.testing.assert_allclose(np.std(drawn, 0), 0.2, rtol=0.25)
            one = np.ravel(np.array(drawn) - mean) / 0.2
            assert scipy.stats.kstest(one, "norm").pvalue > 1e-3
        else:
            np.testing.assert_array_equal(drawn[7], mean)
    entries = np.array([np.ravel(drawn["dense1_kernel"])[:2] for drawn in draws])
    between = np.corrcoef(entries.T)
    assert abs(between[0, 1]) < 0.2


def test_layers_of_one_shape_are_drawn_apart():
    regularizer = MRWeights()
    pupil = MAML(mlp(3, (4,), hidden=(4, 4), normalization=False), regularizers=[regularizer])
    means = pupil.network.params
    drawn = regularizer.weights(means, key(0))
    first, second = (drawn[n] - means[n] for n in ("dense1_kernel", "dense2_kernel"))
    assert first.shape == second.shape
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize("name", ["MAML", "ANIL", "ProtoNet"])
def test_without_weight_and_deviation_it_is_the_plain_learner(name):
    plain = learner(name=name)
    regularized = LEARNERS[name](plain.backbone, regularizers=[MRWeights(0.0, 1e-150)])
    results = [task_gradient(one, task(batch())) for one in (plain, regularized)]
    np.testing.assert_array_equal(*[one.outcome.loss for one in results])
    # Gradients of a mean and of what is drawn around it add up in another order.
    found, expected = own(plain, results[1].gradients), flat(results[0].gradients)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-15)


def test_the_weight_multiplies_what_the_penalty_adds_to_the_gradient():
    without, once, twice = (gradient(learner(MRWeights(weight))) for weight in (0.0, 0.1, 0.2))
    pupil = learner(MRWeights())
    np.testing.assert_allclose(flat(twice) - flat(without), 2 * (flat(once) - flat(without)))
    for name, weight in pupil.network.params.items():
        expected = 0.1 * weight if name in ("dense1_kernel", "dense2_kernel") else 0 * weight
        np.testing.assert_allclose(once[name] - without[name], expected, atol=1e-9)


@pytest.mark.parametrize("name", ["MAML", "ANIL", "BOIL", "ProtoNet"])
def test_meta_gradients_of_means_and_variances_equal_finite_differences(name):
    pupil = learner(MRWeights(0.01, 0.3), name=name, statistics="support")
    assert len(pupil.meta_variables) == len(pupil.method_variables) + 2
    assert_gradient_is_exact(pupil, task(batch()))


def test_steps_that_run_again_draw_the_same_weights():
    once, again = (
        learner(MRWeights(0.01, 0.3), recompute_inner_steps=recompute)
        for recompute in (False, True)
    )
    np.testing.assert_allclose(flat(gradient(again)), flat(gradient(once)), rtol=1e-9, atol=1e-13)


def test_evaluation_takes_the_means():
    plain = learner()
    regularized = LEARNERS["MAML"](plain.backbone, regularizers=[MRWeights(1.0, 1.0)])
    measured = [pupil.step_outcomes(task(batch()))["loss"] for pupil in (plain, regularized)]
    np.testing.assert_array_equal(*measured)


def pruning(pupil):
    masks = pupil.augmentation.mask.draw(theta(pupil), None, at_rate(0.5))
    return functools.partial(pupil.augmentation.mask, masks=masks), masks


def test_subnetworks_are_left_alone_by_default():
    pupil = learner(MRWeights(1.0, 0.3), augmentation=MGAug(ParameterMask(0.5)))
    plain = LEARNERS["MAML"](pupil.backbone)
    prune, _ = pruning(pupil)
    found, expected = (gradient(one, weight_transform=prune) for one in (pupil, plain))
    np.testing.assert_array_equal(own(plain, found), flat(expected))
    variances = [g for name, g in found.items() if name.endswith("log_variance")]
    assert len(variances) == len(found) - len(expected) == 2
    assert all(np.abs(g).max() == 0 for g in variances)


def test_pruned_entries_have_no_divergence():
    regularizer = MRWeights(1.0, 0.3, subnetworks=True)
    pupil = learner(regularizer, augmentation=MGAug(ParameterMask(0.5)))
    prune, masks = pruning(pupil)
    found = gradient(pupil, weight_transform=prune)
    for name in ("dense1_kernel", "dense2_kernel"):
        for part in (found[name], found[f"{name}_log_variance"]):
            np.testing.assert_array_equal(part.numpy() != 0, masks[name] == 1)


def test_a_backbone_without_hidden_kernels_is_refused():
    linear = mlp(3, (4,), hidden=(2,))
    single = tf.keras.Sequential([tf.keras.Input([4]), tf.keras.layers.Dense(3)])
    MAML(linear, regularizers=[MRWeights()])
    with pytest.raises(ValueError, match="convolutions or hidden dense layers"):
        MAML(single, regularizers=[MRWeights()])


@pytest.mark.parametrize(
    ("options", "name"),
    [({"weight": -1}, "weight"), ({"initial_deviation": 0.0}, "initial_deviation")],
)
def test_impossible_arguments_are_refused(options, name):
    with pytest.raises(ValueError, match=f"`{name}` must"):
        MRWeights(**options)
