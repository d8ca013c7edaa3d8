import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.numpy_network import NumpyNetwork, learner, sampler
from tfmgaug.analysis.importance_histogram.mmca import _histogram, _parts, importance, mmca_scores
from tfmgaug.analysis.importance_histogram.report import PARTS
from tfmgaug.analysis.subnetworks import attached, scoring_gradients
from tfmgaug.backbones import mlp
from tfmgaug.learners import CAVIA
from tfmgaug.masks import CatfishMask
from tfmgaug.masks.mask import at_rate

RATE = 0.25


@pytest.fixture(scope="module")
def measured():
    pupil, tasks = learner(), sampler()
    return pupil, tasks, importance(pupil, tasks, rate=RATE, episodes=3)


def test_scores_and_marks_are_those_of_numpy(measured):
    pupil, tasks, result = measured
    network = NumpyNetwork(pupil.backbone)
    assert (result.layers, result.sizes) == (("dense1",), (96,))
    for number in range(3):
        scores = np.sort(network.scores(tasks.episode(number)).ravel())[::-1]
        count = int(RATE * scores.size)
        parts = {
            "pruned": scores[:count],
            "between": scores[count:-count],
            "least": scores[-count:],
        }
        for place, part in enumerate(PARTS):
            expected, _ = np.histogram(parts[part], result.edges)
            np.testing.assert_array_equal(result.counts[number, 0, place, 1:], expected)
            assert result.totals[number, 0, place] == pytest.approx(parts[part].sum(), rel=1e-5)


def test_scores_and_marks_are_those_of_the_catfish_mask(measured):
    pupil, tasks, _ = measured
    mask, theta = attached(CatfishMask(), pupil), pupil.meta_params
    episode = tasks.episode(0)
    (scores,) = mmca_scores(pupil, mask, theta, episode).values()
    gradients = scoring_gradients(pupil, mask, theta, episode)
    (drawn,) = mask.draw(theta, gradients, at_rate(RATE)).values()
    np.testing.assert_array_equal(_parts(scores, RATE) == 0, drawn == 0)


def test_shares_carried_add_up_and_the_highest_carry_most(measured):
    result = measured[2]
    shares = [result.carried(part).mean for part in PARTS]
    assert sum(shares) == pytest.approx(1)
    assert shares == sorted(shares, reverse=True)
    described = result.to_json()["layers"]["dense1"]
    counted = sum(sum(described["mean_counts"][part]) for part in PARTS)
    assert counted + described["mean_count_of_zero_scores"] == pytest.approx(96)
    assert described["share_of_mmca"]["pruned"]["mean"] == pytest.approx(shares[0])


def test_scores_of_zero_and_beyond_the_edges_are_counted():
    scores = tf.constant([0.0, 1e-20, 1e-3, 1e9])
    counts = _histogram(scores, tf.constant([2, 2, 1, 0])).numpy()
    assert counts.sum() == 4
    assert (counts[2, 0], counts[0, -1]) == (2, 1)


def test_unknown_layers_and_rates_are_refused(measured):
    with pytest.raises(ValueError, match="dense1"):
        measured[2].number("head")
    with pytest.raises(ValueError, match="0 < rate < 1"):
        importance(*measured[:2], rate=0.0)


def test_a_context_in_front_of_the_kernels_shifts_nothing():
    backbone = mlp(3, (4, 4, 1), (6,), normalization=False, context=2, dtype="float64")
    pupil = CAVIA(backbone, inner_steps=1)
    result = importance(pupil, sampler(), rate=RATE, episodes=3)
    layer = backbone.get_layer("dense1")
    for number in range(3):
        episode = sampler().episode(number)
        with tf.GradientTape() as tape:
            logits = backbone(tf.cast(episode.query_x, "float32"), training=True)
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(episode.query_y, logits)
            loss = tf.reduce_mean(loss)
        slope = tape.gradient(loss, layer.kernel.value)
        expected = np.abs(slope * layer.kernel.numpy()).sum()
        np.testing.assert_allclose(result.totals[number, 0].sum(), expected, rtol=1e-5)
    assert result.carried("pruned").mean > RATE
