import keras
import numpy as np
import pytest

from tests.helpers.numpy_layers import convolve, normalize, number_of_weights, scattered
from tests.helpers.short_training import assert_one_step_moves_all_weights
from tests.helpers.tasks import batch
from tfmgaug import MGAug
from tfmgaug.backbones import wide_resnet
from tfmgaug.learners import ProtoNet
from tfmgaug.masks import WidthMask


def tiny(way=3, shape=(8, 8, 1), depth=10, widen=2, filters=2, **options):
    return wide_resnet(way, shape, depth, widen, filters, dtype="float64", **options)


def test_wrn_28_10_has_as_many_weights_as_in_the_literature():
    # "36.5 M": Table 4 of the paper, for the ten classes of CIFAR-10.
    assert number_of_weights(wide_resnet(10)) == 36_479_194


@pytest.mark.parametrize(("depth", "widen", "millions"), [(40, 1, 0.6), (16, 8, 11.0)])
def test_other_depths_and_widths_have_as_many_weights_as_in_the_paper(depth, widen, millions):
    found = number_of_weights(wide_resnet(10, depth=depth, widen=widen))
    assert found == pytest.approx(1e6 * millions, abs=5e4)


# The network as the literature writes it, in numpy.


def by_hand(model, x, blocks, training):
    def normalized(x, name):
        return np.maximum(normalize(x, model.get_layer(name), training), 0)

    x = convolve((x - 127.5) / 127.5, model.get_layer("stem_conv"))
    for group in (1, 2, 3):
        for block in range(1, blocks + 1):
            name = f"group{group}_block{block}"
            stride = 2 if group > 1 and block == 1 else 1
            first = model.get_layer(f"{name}_first_conv")
            before = normalized(x, f"{name}_first_norm")
            y = normalized(convolve(before, first, stride), f"{name}_second_norm")
            y = convolve(y, model.get_layer(f"{name}_second_conv"))
            if x.shape[-1] != y.shape[-1]:
                x = convolve(before, model.get_layer(f"{name}_shortcut_conv"), stride)
            x = x + y
    x = normalized(x, "last_norm").mean((1, 2))
    return x @ model.get_layer("head").kernel + model.get_layer("head").bias


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("size", "depth", "widen"), [((9, 12), 10, 1), ((8, 11), 16, 2)])
def test_outputs_equal_those_of_the_literature_in_numpy(size, depth, widen, training):
    model = scattered(tiny(shape=(*size, 1), depth=depth, widen=widen))
    x = np.random.default_rng(0).integers(0, 256, size=(2, *size, 1)).astype("float64")
    expected = by_hand(model, x, (depth - 4) // 6, training)
    np.testing.assert_allclose(model(x, training=training), expected, rtol=1e-9)


def test_embeddings_are_means_of_the_last_maps_at_any_size():
    model = tiny(way=None)
    for size, left in ((8, 2), (84, 21), (13, 4)):
        x = np.random.default_rng(0).integers(0, 256, size=(1, size, size, 1)).astype("uint8")
        maps = keras.Model(model.input, model.get_layer("stage3").output)(x).numpy()
        assert maps.shape == (1, left, left, 16)
        assert maps.min() == 0
        np.testing.assert_allclose(model(x), maps.mean((1, 2)))


@pytest.mark.usefixtures("unoptimized_graphs")
def test_it_trains_with_thinner_subnetworks_at_a_lower_resolution():
    mgaug = MGAug(WidthMask((0.0, 0.5)), subnetworks=1, resolutions=[8, 6])
    learner = ProtoNet(tiny(way=None), augmentation=mgaug)
    assert_one_step_moves_all_weights(learner, batch(1, shape=(8, 8, 1)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"way": 1}, "`way` must be at least 2.*way=1"),
        ({"depth": 4}, r"`depth` must be 6 n \+ 4.*depth=4"),
        ({"depth": 27}, r"`depth` must be 6 n \+ 4.*depth=27"),
        ({"widen": 0}, "`widen` and `filters` must be at least 1.*widen=0"),
        ({"filters": 0}, "at least 1.*filters=0"),
        ({"image_shape": (3, 32, 3)}, r"at least 4.*\(3, 32, 3\)"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        wide_resnet(**{"way": 3, **options})
