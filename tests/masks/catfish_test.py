import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import images, scatter, small_conv, smooth_conv, task, theta
from tfmgaug import MGAug
from tfmgaug.learners import FOMAML, ProtoNet
from tfmgaug.masks import CatfishMask
from tfmgaug.randomness import key


def by_numpy(gradient, weight, rate):
    """The mask that prunes the top scores, by a stable sort and nothing of ours."""
    scores = np.abs(np.asarray(gradient) * np.asarray(weight)).ravel()
    mask = np.ones(scores.size)
    mask[np.argsort(-scores, kind="stable")[: int(rate * scores.size)]] = 0
    return mask.reshape(np.shape(weight))


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.25, 0.9])
def test_it_prunes_exactly_the_top_scores(rate):
    backbone, mask = small_conv(), CatfishMask()
    mask.attach(backbone, backbone.layers[-1])
    draws = np.random.default_rng(0)
    weights = [draws.normal(size=v.shape).astype("float32") for v in backbone.trainable_variables]
    gradients = [draws.normal(size=w.shape).astype("float32") for w in weights]
    found = mask.draw(weights, gradients, tf.constant(rate, tf.float64), key(0))
    assert [m is not None for m in found] == mask.prunable
    for w, g, m in zip(weights, gradients, found):
        if m is not None:
            np.testing.assert_array_equal(m, by_numpy(g, w, rate))


def test_the_sign_of_a_score_does_not_matter():
    backbone, mask = small_conv(), CatfishMask()
    mask.attach(backbone, backbone.layers[-1])
    weights = [tf.random.stateless_normal(v.shape, [1, 2]) for v in backbone.trainable_variables]
    minus = [-w for w in weights]
    one, other = (mask.draw(weights, g, 0.3, key(0)) for g in (weights, minus))
    np.testing.assert_array_equal(one[0], other[0])


def test_the_paper_scores_by_the_query_loss_before_adaptation():
    learner = scatter(FOMAML(smooth_conv(), inner_steps=1, augmentation=MGAug(CatfishMask())))
    weights, episode = theta(learner), task(images())
    gradients, _ = learner.weight_gradient(weights, episode)
    direction = [np.random.default_rng(n).normal(size=w.shape) for n, w in enumerate(weights)]
    up, down = (
        query_loss(learner, [w + step * d for w, d in zip(weights, direction)], episode)
        for step in (1e-5, -1e-5)
    )
    slope = sum(np.sum(g * d) for g, d in zip(gradients, direction))
    np.testing.assert_allclose(slope, (up - down) / 2e-5, rtol=1e-6)


def query_loss(learner, weights, episode):
    """The cross-entropy of the queries at unadapted weights, normalized among themselves."""
    statistics = learner.backbone.non_trainable_variables
    logits, _ = learner.backbone.stateless_call(
        weights, statistics, tf.cast(episode.query_x, tf.float32), training=True
    )
    logits = logits.numpy()
    chosen = logits[np.arange(len(logits)), episode.query_y]
    return np.mean(np.log(np.exp(logits).sum(1)) - chosen)


def test_the_authors_rule_scores_by_the_meta_gradient():
    mask = CatfishMask(score="meta_gradient")
    learner = scatter(FOMAML(smooth_conv(), inner_steps=1, augmentation=MGAug(mask)))
    weights, episode = theta(learner), task(images())
    gradients = learner.meta_gradient(weights, episode)[0]
    scoring, _ = learner._before_adaptation(weights, episode, gradients)
    assert all(a is b for a, b in zip(scoring, gradients))


def test_a_learner_without_inner_steps_scores_by_its_own_gradient():
    learner = ProtoNet(smooth_conv(way=None), augmentation=MGAug(CatfishMask()))
    gradients = learner.meta_gradient(theta(learner), task(images()))[0]
    scoring, before = learner._before_adaptation(theta(learner), task(images()), gradients)
    assert len(scoring) == len(gradients)
    assert all(a is b for a, b in zip(scoring, gradients))
    assert before is None


def test_an_unknown_score_is_refused():
    with pytest.raises(ValueError, match="`score` must be"):
        CatfishMask(score="magnitude")
