import dataclasses

import numpy as np
import tensorflow as tf

from tests.helpers.tasks import small_conv, smooth_mlp
from tfmgaug.engine.network import Network
from tfmgaug.masks import ParameterMask
from tfmgaug.masks.mask import at_rate
from tfmgaug.randomness import fold, key


def attached(rates=0.25, backbone=None):
    network = Network(backbone or smooth_mlp())
    mask = ParameterMask(rates)
    mask.attach(network, network.model.layers[-1])
    return mask, network.params


def subnetwork(rate, own_key):
    return dataclasses.replace(at_rate(rate), key=own_key)


def test_every_layer_loses_exactly_its_share():
    mask, weights = attached(0.29, small_conv(filters=8))
    drawn = mask.draw(weights, None, at_rate(mask.rate(0, key(0))))
    pruned = [int(np.sum(1 - drawn[f"conv{n}_kernel"])) for n in range(1, 5)]
    assert pruned == [20, 167, 167, 167]
    assert len(drawn) == 4


def test_the_same_key_gives_the_same_mask_and_another_key_another():
    mask, weights = attached()
    masks = [mask.draw(weights, None, subnetwork(0.25, key(seed))) for seed in (1, 1, 2)]
    draws = [drawn["dense1_kernel"].numpy() for drawn in masks]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_layers_of_one_shape_get_different_masks():
    mask, weights = attached(0.5, small_conv(filters=8))
    drawn = mask.draw(weights, None, at_rate(0.5))
    assert (drawn["conv2_kernel"].numpy() != drawn["conv3_kernel"].numpy()).any()


def test_every_entry_is_pruned_equally_often():
    mask, weights = attached()

    @tf.function
    def draw(own_key):
        return mask.draw(weights, None, subnetwork(0.25, own_key))["dense1_kernel"]

    pruned = np.mean([1 - draw(fold(key(0), n)) for n in range(600)], axis=0)
    # Four standard deviations of a share that is counted 600 times.
    np.testing.assert_allclose(pruned, 0.25, atol=4 * np.sqrt(0.25 * 0.75 / 600))
