import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import images, scatter, small_conv, smooth_conv, task, theta
from tfmgaug import MGAug
from tfmgaug.engine.batch import before_adaptation
from tfmgaug.engine.network import Network
from tfmgaug.learners import FOMAML, ProtoNet
from tfmgaug.masks import CatfishMask
from tfmgaug.masks.mask import at_rate


def by_numpy(gradient, weight, rate):
    """The mask that prunes the top scores, by a stable sort and nothing of ours."""
    scores = np.abs(np.asarray(gradient) * np.asarray(weight)).ravel()
    mask = np.ones(scores.size)
    mask[np.argsort(-scores, kind="stable")[: int(rate * scores.size)]] = 0
    return mask.reshape(np.shape(weight))


def attached():
    network, mask = Network(small_conv()), CatfishMask()
    mask.attach(network, network.model.layers[-1])
    return mask, network.variables


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.25, 0.9])
def test_it_prunes_exactly_the_top_scores(rate):
    mask, variables = attached()
    draws = np.random.default_rng(0)
    weights = {n: draws.normal(size=v.shape).astype("float32") for n, v in variables.items()}
    gradients = {n: draws.normal(size=w.shape).astype("float32") for n, w in weights.items()}
    masks = mask.draw(weights, gradients, at_rate(rate))
    assert list(masks) == mask.prunable == [f"conv{n}_kernel" for n in (1, 2, 3, 4)]
    for name, drawn in masks.items():
        np.testing.assert_array_equal(drawn, by_numpy(gradients[name], weights[name], rate))


def test_the_sign_of_a_score_does_not_matter():
    mask, variables = attached()
    weights = {n: tf.random.stateless_normal(v.shape, [1, 2]) for n, v in variables.items()}
    minus = {n: -w for n, w in weights.items()}
    one, other = (mask.draw(weights, g, at_rate(0.3)) for g in (weights, minus))
    np.testing.assert_array_equal(one["conv1_kernel"], other["conv1_kernel"])


def test_the_paper_scores_by_the_query_loss_before_adaptation():
    learner = scatter(FOMAML(smooth_conv(), inner_steps=1, augmentation=MGAug(CatfishMask())))
    weights, episode = theta(learner), task(images())
    gradients, _ = learner.weight_gradient(weights, episode)
    direction = {
        name: np.random.default_rng(number).normal(size=weight.shape)
        for number, (name, weight) in enumerate(weights.items())
    }
    up, down = (
        query_loss(learner, {n: w + step * direction[n] for n, w in weights.items()}, episode)
        for step in (1e-5, -1e-5)
    )
    slope = sum(np.sum(gradients[name] * d) for name, d in direction.items())
    np.testing.assert_allclose(slope, (up - down) / 2e-5, rtol=1e-6)


def query_loss(learner, weights, episode):
    """The cross-entropy of the queries at unadapted weights, normalized among themselves."""
    statistics = learner.backbone.non_trainable_variables
    logits, _ = learner.backbone.stateless_call(
        list(weights.values()), statistics, tf.cast(episode.query_x, tf.float32), training=True
    )
    logits = logits.numpy()
    chosen = logits[np.arange(len(logits)), episode.query_y]
    return np.mean(np.log(np.exp(logits).sum(1)) - chosen)


def test_the_authors_rule_scores_by_the_meta_gradient():
    mask = CatfishMask(score="meta_gradient")
    learner = scatter(FOMAML(smooth_conv(), inner_steps=1, augmentation=MGAug(mask)))
    weights, episode = theta(learner), task(images())
    context = learner.training_context(episode)
    gradients = learner.task_gradient(weights, episode, context).gradients
    scoring, _ = before_adaptation(learner, weights, episode, gradients)
    assert scoring is gradients


def test_a_learner_without_inner_steps_scores_by_its_own_gradient():
    learner = ProtoNet(smooth_conv(way=None), augmentation=MGAug(CatfishMask()))
    weights, episode = theta(learner), task(images())
    context = learner.training_context(episode)
    gradients = learner.task_gradient(weights, episode, context).gradients
    scoring, before = before_adaptation(learner, weights, episode, gradients)
    assert scoring is gradients
    assert before is None


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match="`score` must be"):
        CatfishMask(score="magnitude")
