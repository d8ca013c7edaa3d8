import fractions

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import small_conv, smooth_mlp
from tfmgaug.engine.network import Network
from tfmgaug.masks import CatfishMask, Mask, ParameterMask, WidthMask
from tfmgaug.masks.mask import at_rate, prunable_layers, prune_top
from tfmgaug.randomness import fold, key

RATES = [0.0, 0.001, 0.02, 0.1, 0.29, 0.3, 1 / 3, 0.57, 0.58, 0.7, 0.99]
SIZES = [1, 2, 3, 7, 9, 10, 30, 100, 576, 36864]


def asked(rate, size):
    """`floor(rate * size)` of the rate as it was written: 0.29 of 100 is 29."""
    return fractions.Fraction(rate).limit_denominator(10000) * size // 1


@pytest.mark.parametrize("rate", RATES)
def test_exactly_the_share_asked_for_is_pruned(rate):
    scores = tf.random.stateless_uniform([max(SIZES)], seed=[0, 0])
    given = tf.constant(rate, tf.float64)
    pruned = [int(size - tf.reduce_sum(prune_top(scores[:size], given))) for size in SIZES]
    assert pruned == [asked(rate, size) for size in SIZES]


@pytest.mark.parametrize("rate", RATES)
def test_width_masks_keep_one_channel_at_least(rate):
    kept = []
    for size in SIZES[:-1]:
        mask = WidthMask(rate)
        mask.prunable = ["kernel"]
        drawn = mask.draw({"kernel": tf.ones([size])}, None, at_rate(mask.rate(0, key(0))))
        kept.append(int(np.sum(drawn["kernel"])))
    assert kept == [max(1, size - asked(rate, size)) for size in SIZES[:-1]]


def test_the_highest_scores_go():
    mask = prune_top(tf.constant([[3.0, 1.0], [5.0, 4.0]]), 0.5)
    np.testing.assert_array_equal(mask, [[1, 1], [0, 0]])


def test_among_equals_the_lower_index_goes():
    mask = prune_top(tf.constant([1.0, 2.0, 2.0, 2.0, 0.0]), 0.4)
    np.testing.assert_array_equal(mask, [1, 0, 0, 1, 1])


def test_scores_of_zero_prune_no_more_than_asked():
    np.testing.assert_array_equal(prune_top(tf.zeros([2, 5]), 0.3), [[0, 0, 0, 1, 1], [1] * 5])


def test_masks_multiply_in_the_precision_of_the_weight():
    mask = ParameterMask()
    weights = {"kernel": tf.constant([2.0, 3.0], tf.float64), "bias": tf.ones([1], tf.bfloat16)}
    masked = mask(weights, masks={"kernel": tf.constant([0.0, 1.0])})
    np.testing.assert_array_equal(masked["kernel"], [0.0, 3.0])
    assert masked["kernel"].dtype == tf.float64
    assert masked["bias"] is weights["bias"]


def test_the_first_subnetwork_gets_the_highest_rate_and_others_between():
    mask = ParameterMask((0.1, 0.4))
    rates = np.array([[mask.rate(u, fold(key(t), u)) for u in range(4)] for t in range(50)])
    np.testing.assert_array_equal(rates[:, 0], 0.4)
    assert rates[:, 1:].min() >= 0.1
    assert rates[:, 1:].max() < 0.4
    np.testing.assert_allclose(rates[:, 1:].mean(), 0.25, atol=0.03)
    assert len(np.unique(rates[:, 1:])) == 150


def test_one_number_is_the_rate_of_all():
    assert {float(ParameterMask(0.3).rate(u, key(u))) for u in range(4)} == {0.3}


@pytest.mark.parametrize("rates", [-0.1, 1.0, (0.3, 0.2), (0.0, 1.0)])
@pytest.mark.parametrize("kind", [WidthMask, ParameterMask, CatfishMask])
def test_impossible_rates_are_refused(kind, rates):
    with pytest.raises(ValueError, match="`rates` must be a share"):
        kind(rates)


def test_parameter_masks_prune_convolutions_and_nothing_else():
    assert pruned_names(ParameterMask(), small_conv()) == [f"conv{n}_kernel" for n in (1, 2, 3, 4)]


def test_parameter_masks_prune_hidden_dense_kernels_and_no_biases():
    backbone = smooth_mlp(normalization=False)
    assert pruned_names(ParameterMask(), backbone) == ["dense1_kernel", "dense2_kernel"]


def test_without_a_classifier_the_last_layer_is_pruned():
    assert pruned_names(CatfishMask(), smooth_mlp(way=None), head=False)[-1] == "dense2_kernel"
    assert pruned_names(CatfishMask(), small_conv(way=None), head=False)[-1] == "conv4_kernel"


def pruned_names(mask, backbone, head=True):
    mask.attach(Network(backbone), backbone.layers[-1] if head else None)
    return mask.prunable


def test_a_backbone_with_nothing_to_prune_is_named():
    backbone = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)], name="perceptron")
    with pytest.raises(ValueError, match="'perceptron', which has none"):
        prunable_layers(backbone, backbone.layers[-1])


@pytest.mark.parametrize(
    "mask", [WidthMask((0.1, 0.2)), ParameterMask(0.3), CatfishMask(score="meta_gradient")]
)
def test_configuration_goes_round(mask):
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(mask))
    assert type(copy) is type(mask)
    assert isinstance(copy, Mask)
    assert copy.get_config() == mask.get_config()
