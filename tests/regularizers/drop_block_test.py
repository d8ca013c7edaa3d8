import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import label

from tests.helpers.finite_differences import assert_gradient_is_exact
from tests.helpers.single_task import task_gradient
from tests.helpers.tasks import flat, images, scatter, small_conv, smooth_conv, smooth_mlp, task
from tfmgaug.backbones import resnet12
from tfmgaug.learners import MAML, MetaOptNet, ProtoNet
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import DropBlock
from tfmgaug.regularizers.drop_block import blocks

SHAPE = (50, 10, 8, 40)


def kept(size, rate=0.1, shape=SHAPE, number=0):
    return blocks(tf.constant(shape), size, tf.constant(rate), fold(key(0), number)).numpy()


def expected_share(height, width, size, rate):
    """Dropped, on average: how many starts of blocks reach each position, one by one."""
    gamma = rate / size**2 * height * width / ((height - size + 1) * (width - size + 1))
    reached = np.zeros([height, width])
    for row in range(height - size + 1):
        for column in range(width - size + 1):
            reached[row : row + size, column : column + size] += 1
    return np.mean(1 - (1 - gamma) ** reached)


@pytest.mark.parametrize("rate", [0.05, 0.3])
@pytest.mark.parametrize("size", [1, 3, 5, 8])
def test_the_share_dropped_is_that_of_the_formula(size, rate):
    found = np.mean([1 - kept(size, rate, number=n).mean() for n in range(10)])
    expected = expected_share(10, 8, size, rate)
    np.testing.assert_allclose(found, expected, rtol=0.05)
    assert expected <= rate + 1e-12


def test_what_is_dropped_are_squares_within_the_map():
    dropped = np.moveaxis(1 - kept(3, 0.03), -1, 1).reshape(-1, 10, 8)
    single = 0
    for one in dropped[dropped.any((1, 2))]:
        regions, number = label(one)
        for region in range(1, number + 1):
            rows, columns = np.nonzero(regions == region)
            assert np.ptp(rows) >= 2
            assert np.ptp(columns) >= 2
            single += len(rows) == 9
    assert single > 100
    assert not np.array_equal(dropped[0], dropped[1])


def test_a_block_larger_than_the_map_is_the_map():
    mask = kept(5, 0.2, (200, 2, 3, 10))
    whole = mask.mean((1, 2))
    assert set(np.unique(whole)) == {0, 1}
    np.testing.assert_allclose(1 - whole.mean(), 0.2, atol=0.03)


def acted(x, step=0, **options):
    block = DropBlock(**{"rate": 0.4, "block_sizes": [1, 3], **options})
    block.places = ("stage1", "stage2")
    return [block.activations(x, p, key(3), tf.constant(step, tf.int64)) for p in block.places]


def test_what_is_kept_is_scaled_up_to_the_same_sum():
    x = tf.ones(SHAPE)
    for y in acted(x, step=5, ramp_steps=0):
        np.testing.assert_allclose(np.mean(y), 1, rtol=1e-5)
        assert len(np.unique(y)) == 2
    assert all(y.dtype == tf.bfloat16 for y in acted(tf.cast(x, tf.bfloat16)))


def test_the_rate_of_blocks_rises_and_that_of_dropout_does_not():
    x = tf.ones(SHAPE)
    for step, share in ((0, 0.0), (50, 0.2), (100, 0.4), (1000, 0.4)):
        single, block = acted(x, step, ramp_steps=100)
        np.testing.assert_allclose(np.mean(single == 0), 0.4, atol=0.02)
        np.testing.assert_allclose(np.mean(block == 0), expected_share(10, 8, 3, share), atol=0.02)


def meta_gradient(*regularizers, backbone=small_conv, kind=MAML):
    learner = scatter(
        kind(backbone(way=None if kind is ProtoNet else 3), regularizers=regularizers)
    )
    return flat(task_gradient(learner, task(images())).gradients)


def test_rate_zero_is_the_plain_learner_bit_for_bit():
    plain = meta_gradient()
    np.testing.assert_array_equal(meta_gradient(DropBlock(0.0, [1, 3])), plain)
    # Where the rate has not risen yet, to rounding: the network is called in parts.
    start = meta_gradient(DropBlock(0.5, [3, 3], ramp_steps=10))
    np.testing.assert_allclose(start, plain, rtol=1e-3, atol=1e-4)
    assert np.abs(meta_gradient(DropBlock(0.5, [3, 3], ramp_steps=0)) - plain).max() > 1e-2


def test_it_is_off_in_evaluation():
    learners = [
        scatter(ProtoNet(small_conv(way=None), regularizers=own))
        for own in ([], [DropBlock(0.5, [3, 3], ramp_steps=0)])
    ]
    losses = [one.step_outcomes(task(images()))["loss"].numpy() for one in learners]
    np.testing.assert_array_equal(*losses)


def test_meta_gradients_equal_finite_differences():
    learner = MAML(
        smooth_conv(),
        inner_steps=1,
        inner_learning_rate=0.3,
        regularizers=[DropBlock(0.3, [1, 3, 2], ramp_steps=0)],
    )
    assert_gradient_is_exact(scatter(learner), task(images()), directions=1)


def test_the_default_is_for_the_stages_of_resnet12():
    backbone = resnet12(None, (16, 16, 1), (2, 2, 2, 2), global_pooling=False)
    block = DropBlock()
    MetaOptNet(backbone, regularizers=[block])
    assert block.places == ("stage1", "stage2", "stage3", "stage4")
    copy = DropBlock.from_config(block.get_config())
    assert copy.get_config() == block.get_config()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 1.0}, "`rate` must be from 0 to below 1"),
        ({"block_sizes": []}, "`block_sizes` must be at least 1"),
        ({"block_sizes": [0]}, "`block_sizes` must be at least 1"),
        ({"ramp_steps": -1}, "`ramp_steps` must not be negative"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        DropBlock(**options)


def test_networks_without_feature_maps_are_refused():
    with pytest.raises(ValueError, match="Received: 4 for backbone 'mlp', which has 0"):
        MAML(smooth_mlp(), regularizers=[DropBlock()])
