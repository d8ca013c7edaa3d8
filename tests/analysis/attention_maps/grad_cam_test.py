import keras
import numpy as np
import pytest

from tests.helpers.tasks import smooth_mlp
from tfmgaug.analysis import Attention, attention
from tfmgaug.backbones import conv4
from tfmgaug.episode import Episode
from tfmgaug.learners import MAML, ProtoNet
from tfmgaug.masks import CatfishMask, WidthMask

WAY = 3


def linear(channels=4):
    """A linear network of three by three positions: convolution 1x1, then a dense head."""
    inputs = keras.Input((3, 3, 1))
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name="maps")(inputs)
    outputs = keras.layers.Dense(WAY, name="head")(keras.layers.Flatten()(x))
    backbone, draws = keras.Model(inputs, outputs), np.random.default_rng(2)
    backbone.set_weights([draws.normal(size=v.shape) for v in backbone.weights])
    return backbone


def still(backbone, **options):
    """A learner whose inner steps change nothing."""
    return MAML(backbone, inner_steps=1, inner_learning_rate=0.0, **options)


def episode(size=3):
    draws = np.random.default_rng(0)
    labels = np.arange(WAY, dtype=np.int32)
    support = draws.uniform(0, 255, [WAY, size, size, 1]).astype(np.uint8)
    queries = draws.uniform(0, 255, [2 * WAY, size, size, 1]).astype(np.uint8)
    return Episode(support, labels, queries, np.repeat(labels, 2), np.int64(0))


def by_hand(backbone, image, label, kept):
    """relu(sum_k mean_ij(dy / dA_ijk) * A_ijk), where dy / dA is the head's own kernel."""
    kernel, head, _ = backbone.get_weights()
    maps = image.astype(np.float64) * kernel[0, 0, 0]  # [3, 3, channels]
    weights = head.reshape(3, 3, -1, WAY)[..., label].mean(axis=(0, 1))
    return np.maximum((maps * weights * kept).sum(-1), 0)


def test_maps_of_a_linear_network_are_those_of_hand():
    backbone, task = linear(), episode()
    maps = attention(still(backbone), task, WidthMask(), rates=[0.5], queries=[0, 3, 5])
    assert maps.stage == "maps"
    for number, query in enumerate((0, 3, 5)):
        for network, kept in enumerate(([1, 1, 1, 1], [1, 1, 0, 0])):
            expected = by_hand(backbone, task.query_x[query], task.query_y[query], kept)
            np.testing.assert_allclose(maps.maps[network, number], expected, rtol=1e-4, atol=1e-4)
    assert (maps.maps.max(axis=(1, 2, 3)) > 0).all()


def test_the_predicted_class_can_be_explained_instead():
    backbone, task = linear(), episode()
    maps = attention(still(backbone), task, WidthMask(), rates=[], target="prediction")
    logits = backbone(task.query_x.astype("float32")).numpy()[[0, 2, 4]]
    np.testing.assert_array_equal(maps.targets[0], logits.argmax(1))
    np.testing.assert_array_equal(maps.labels, [0, 1, 2])
    expected = by_hand(backbone, task.query_x[0], logits.argmax(1)[0], [1] * 4)
    np.testing.assert_allclose(maps.maps[0, 0], expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(maps.probabilities.sum(-1), 1, rtol=1e-5)


def test_conv4_is_explained_at_its_last_stage_with_several_positions():
    learner = ProtoNet(conv4(None, (16, 16, 1), 2, fused=False), statistics="support")
    maps = attention(learner, episode(16), CatfishMask(), rates=[0.2])
    assert (maps.stage, maps.maps.shape) == ("stage3", (2, 3, 2, 2))
    logits = maps.probabilities[0].argmax(-1)
    state = learner.adapt(episode(16).support_x, episode(16).support_y)
    np.testing.assert_array_equal(logits, state.predict(episode(16).query_x)[::2].argmax(-1))


def test_heat_is_scaled_up_to_the_image_and_to_its_own_highest_value():
    maps = np.stack([np.full([2, 2], 5.0), np.zeros([2, 2]), np.array([[0, 0], [0, 8.0]])])[None]
    shown = Attention("", "", (), "", "", np.zeros([3, 4, 4, 1]), *[None] * 3, maps).heat()
    np.testing.assert_allclose(shown[0, 0], 1)
    np.testing.assert_array_equal(shown[0, 1], 0)
    # Bilinear, pixels by their centers: 1/4 and 3/4 of the way between two positions.
    np.testing.assert_allclose(shown[0, 2, 3], [0, 0.25, 0.75, 1])


def test_what_cannot_be_explained_is_refused():
    with pytest.raises(ValueError, match="classified"):
        attention(still(smooth_mlp()), episode(), CatfishMask())
    with pytest.raises(ValueError, match="maps"):
        attention(still(linear()), episode(), CatfishMask(), stage="head")
    with pytest.raises(ValueError, match="from 0 to 5"):
        attention(still(linear()), episode(), CatfishMask(), queries=[6])
    with pytest.raises(ValueError, match="target"):
        attention(still(linear()), episode(), CatfishMask(), target="support")
