"""A class without support is no part of a task: five outputs are as good as the three in use."""

import types

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.adaptation import adapted
from tests.helpers.tasks import (
    batch,
    dataset,
    flat,
    images,
    scatter,
    small_conv,
    smooth_mlp,
    task,
    theta,
)
from tests.suite_test import LEARNERS
from tfmgaug import MGAug
from tfmgaug.analysis.loss_landscape.support_losses import support_loss
from tfmgaug.analysis.representation import query_features
from tfmgaug.analysis.task_gradients import support_gradients
from tfmgaug.engine.context import Context
from tfmgaug.evaluation import evaluate
from tfmgaug.heads import RidgeHead, SVMHead
from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, MetaOptNet, ProtoNet, Reptile
from tfmgaug.masks import CatfishMask
from tfmgaug.regularizers import EntropyTAML, LabelSmoothing, MaxUp, MetaMix

OUTPUTS = 5
GAPS = [(0, 1, 2), (0, 2, 4)]


@pytest.fixture(autouse=True, scope="module")
def eagerly():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def relabeled(data, classes):
    """Tasks with the labels 0, 1, 2, ... under other names."""
    (inputs, query_y), names = data, np.array(classes, "int32")
    return {**inputs, "support_y": names[inputs["support_y"]]}, names[query_y]


def pair(kind, classes, **options):
    """A learner of five outputs, and one whose head was cut to those of some classes."""
    options = {"inner_steps": 2, "inner_learning_rate": 0.25, **options}
    more = {name: options.pop(name) for name in list(options) if callable(options[name])}

    def build(way):
        return kind(smooth_mlp(way), **options, **{name: make() for name, make in more.items()})

    whole, cut = scatter(build(OUTPUTS)), build(len(classes))
    for target, source in zip(cut.backbone.variables, whole.backbone.variables):
        kept = source.shape != target.shape
        target.assign(tf.gather(source, classes, axis=-1) if kept else tf.convert_to_tensor(source))
    return whole, cut


def assert_equal_but_for_absent(whole, cut, classes):
    """Gradients of shared weights and kept columns are equal, those of absent columns zero."""
    assert whole.keys() == cut.keys()
    for name in whole:
        left, right = np.asarray(whole[name]), np.asarray(cut[name])
        if left.shape != right.shape:
            absent = np.setdiff1d(np.arange(OUTPUTS), classes)
            np.testing.assert_array_equal(left[..., absent], 0)
            left = left[..., list(classes)]
        np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-13)


CASES = {
    "MAML": (MAML, {}),
    "MAML, support": (MAML, {"statistics": "support", "recompute_inner_steps": True}),
    "FOMAML": (FOMAML, {}),
    "ANIL": (ANIL, {}),
    "BOIL": (BOIL, {}),
    "Reptile": (Reptile, {"inner_batch": 2}),
    "sub-networks": (
        FOMAML,
        {"augmentation": lambda: MGAug(CatfishMask(0.2), subnetworks=1)},
    ),
    "label smoothing": (FOMAML, {"regularizers": lambda: [LabelSmoothing(0.2)]}),
    "entropy": (FOMAML, {"regularizers": lambda: [EntropyTAML(0.3)]}),
    "MetaMix": (FOMAML, {"regularizers": lambda: [MetaMix()]}),
}


@pytest.mark.parametrize(
    ("name", "classes"), [("FOMAML", GAPS[0]), *((name, GAPS[1]) for name in CASES)]
)
def test_training_equals_that_of_a_cut_head(name, classes):
    kind, options = CASES[name]
    whole, cut = pair(kind, classes, **options)
    data, named = batch(), relabeled(batch(), classes)
    gradients, measures = whole.meta_gradients(named, with_measures=True)
    expected, expected_measures = cut.meta_gradients(data, with_measures=True)
    assert_equal_but_for_absent(gradients, expected, classes)
    assert np.abs(flat(expected)).max() > 1e-3
    for measure, values in expected_measures.items():
        np.testing.assert_allclose(measures[measure], values, rtol=1e-6)


@pytest.mark.parametrize("kind", [MAML, ANIL, Reptile])
def test_evaluation_and_predictions_equal_those_of_a_cut_head(kind):
    classes = GAPS[1]
    whole, cut = pair(kind, classes)
    named, plain = task(relabeled(batch(), classes)), task(batch())
    found, expected = whole.step_outcomes(named), cut.step_outcomes(plain)
    for measure in ("loss", "accuracy"):
        np.testing.assert_allclose(found[measure], expected[measure], rtol=1e-6)
    found = whole.adapt(named.support_x, named.support_y).predict(named.query_x)
    expected = cut.adapt(plain.support_x, plain.support_y).predict(plain.query_x)
    np.testing.assert_allclose(found[:, classes], expected, rtol=1e-9)
    np.testing.assert_array_equal(found[:, [1, 3]], 0)


def test_analyses_see_the_support_loss_of_a_cut_head():
    classes = GAPS[1]
    whole, cut = pair(FOMAML, classes)
    named, plain = task(relabeled(batch(), classes)), task(batch())
    found, expected = support_gradients(whole, named), support_gradients(cut, plain)
    assert_equal_but_for_absent(found, expected, classes)
    losses = [support_loss(one, e)(theta(one)) for one, e in ((whole, named), (cut, plain))]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-12)


def test_logits_without_support_are_no_features():
    whole, cut = pair(FOMAML, GAPS[1])
    named, plain = task(relabeled(batch(), GAPS[1])), task(batch())
    logits = []
    for one, episode in ((whole, named), (cut, plain)):
        state = adapted(one, episode)
        logits.append(query_features(one, state, episode.query_x, Context())[-1].numpy())
    np.testing.assert_array_equal(logits[0][:, [1, 3]], 0)
    np.testing.assert_allclose(logits[0][:, [0, 2, 4]], logits[1], rtol=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ProtoNet(smooth_mlp(way=None)),
        lambda: ProtoNet(smooth_mlp(way=None), distance="cosine"),
        lambda: MetaOptNet(smooth_mlp(way=None), head=SVMHead()),
        lambda: MetaOptNet(smooth_mlp(way=None), head=RidgeHead(1.0)),
        lambda: MetaOptNet(smooth_mlp(way=None), regularizers=[LabelSmoothing(0.2)]),
        lambda: ProtoNet(smooth_mlp(way=None), regularizers=[MetaMix()]),
    ],
)
def test_closed_form_heads_do_not_care_for_gaps_in_the_labels(make):
    learner, classes = scatter(make()), (1, 3, 4)
    data, named = batch(), relabeled(batch(), classes)
    np.testing.assert_allclose(
        flat(learner.meta_gradients(named)), flat(learner.meta_gradients(data)), rtol=1e-8
    )
    plain = task(data)
    expected = learner.adapt(plain.support_x, plain.support_y).predict(plain.query_x)
    found = learner.adapt(plain.support_x, task(named).support_y).predict(plain.query_x)
    np.testing.assert_allclose(found[:, classes], expected, rtol=1e-9)


def test_a_single_class_with_support_is_certain():
    for learner in (MetaOptNet(smooth_mlp(way=None)), FOMAML(smooth_mlp(5), inner_steps=1)):
        episode = task(batch())
        found = learner.adapt(episode.support_x[:2], [2, 2]).predict(episode.query_x)
        np.testing.assert_array_equal(found.argmax(1), 2)
        np.testing.assert_array_equal(found[:, 2], 1)


@pytest.mark.parametrize("name", LEARNERS)
def test_evaluate_is_as_accurate_as_adapt_and_predict(name):
    # Of another seed, one query stands between the classes to the last bit.
    learner, data = LEARNERS[name](), relabeled(images(3, way=2, seed=1), (0, 2))
    sampler = types.SimpleNamespace(dataset=lambda **_: dataset(data), way=2, shot=2, query=2)
    report, hits = evaluate(learner, sampler, episodes=3, statistics="transductive"), []
    for episode in (task(data, number) for number in range(3)):
        adapted = learner.adapt(episode.support_x, episode.support_y, "transductive")
        hits.append(np.mean(adapted.predict(episode.query_x).argmax(1) == episode.query_y))
    np.testing.assert_array_equal(report.values()[:, -1], np.float32(hits))


def test_where_all_classes_have_support_nothing_changes():
    learner = FOMAML(smooth_mlp())
    logits = tf.constant(np.random.default_rng(0).normal(size=[6, 3]))
    state = learner.task_state(tf.constant([2, 0, 1]))
    with tf.GradientTape() as tape:
        tape.watch(logits)
        masked = learner.logits(logits, state)
        loss = learner.outcome(masked, tf.constant([0, 1, 2, 0, 1, 2])).loss
    gradient = tape.gradient(loss, logits)
    np.testing.assert_array_equal(masked, logits)
    np.testing.assert_array_equal(state["classes"], [True] * 3)
    assert (gradient.numpy() != 0).all()


def test_worst_augmentations_are_of_classes_with_support():
    learner = FOMAML(small_conv(5), inner_steps=1, regularizers=[MaxUp(m=2, maximum="query")])
    gradients, measures = learner.meta_gradients(relabeled(images(), GAPS[1]), True)
    assert np.max(measures["loss"]) < 100
    np.testing.assert_array_equal(gradients["head_bias"].numpy()[[1, 3]], 0)
