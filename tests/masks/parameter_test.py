import numpy as np
import tensorflow as tf

from tests.helpers.tasks import small_conv, smooth_mlp
from tfmgaug.masks import ParameterMask
from tfmgaug.randomness import fold, key


def attached(rates=0.25, backbone=None):
    backbone = backbone or smooth_mlp()
    mask = ParameterMask(rates)
    mask.attach(backbone, backbone.layers[-1])
    return mask, [tf.convert_to_tensor(v) for v in backbone.trainable_variables]


def test_every_layer_loses_exactly_its_share():
    mask, weights = attached(0.29, small_conv(filters=8))
    drawn = mask.draw(weights, None, mask.rate(0, key(0)), key(0))
    pruned = [int(np.sum(1 - m)) for m in drawn if m is not None]
    assert pruned == [20, 167, 167, 167]


def test_the_same_key_gives_the_same_mask_and_another_key_another():
    mask, weights = attached()
    draws = [mask.draw(weights, None, 0.25, key(seed))[0].numpy() for seed in (1, 1, 2)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_layers_of_one_shape_get_different_masks():
    mask, weights = attached(0.5, small_conv(filters=8))
    drawn = [m for m in mask.draw(weights, None, 0.5, key(0)) if m is not None]
    assert (drawn[1].numpy() != drawn[2].numpy()).any()


def test_every_entry_is_pruned_equally_often():
    mask, weights = attached()
    draw = tf.function(lambda own_key: mask.draw(weights, None, 0.25, own_key)[0])
    pruned = np.mean([1 - draw(fold(key(0), n)) for n in range(600)], axis=0)
    # Four standard deviations of a share that is counted 600 times.
    np.testing.assert_allclose(pruned, 0.25, atol=4 * np.sqrt(0.25 * 0.75 / 600))
