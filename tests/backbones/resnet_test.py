import keras
import numpy as np
import pytest

from tests.helpers.numpy_layers import convolve, normalize, number_of_weights, scattered, windows
from tests.helpers.tasks import batch, dataset, flat, theta
from tfmgaug import MGAug
from tfmgaug.backbones import resnet, resnet10, resnet18
from tfmgaug.backbones.preparation import image_shape_of
from tfmgaug.learners import FOMAML, ProtoNet
from tfmgaug.masks import CatfishMask, WidthMask


def tiny(way=3, shape=(32, 32, 1), filters=(4, 4, 8, 8), **options):
    return resnet10(way, shape, filters=filters, **options)


def test_resnet18_has_as_many_weights_as_in_the_literature():
    # torchvision's has 11 689 512, of which 512 * 1000 + 1000 belong to its head.
    assert number_of_weights(resnet18(None)) == 11_689_512 - 513_000
    assert resnet18(5, (84, 84, 3)).output_shape == (None, 5)


def test_resnet10_has_as_many_weights_as_counted_by_hand():
    stem = 7 * 7 * 3 * 64 + 2 * 64
    groups = 9 * 64 * (64 + 64) + 2 * 2 * 64
    for size in (128, 256, 512):
        before = size // 2
        groups += 9 * size * (before + size) + before * size + 3 * 2 * size
    assert number_of_weights(resnet10(None)) == stem + groups == 4_905_792
    assert number_of_weights(resnet10(5)) == stem + groups + 512 * 5 + 5


# The network as the literature writes it, in numpy.


def by_hand(model, x, blocks, training):
    def step(x, name, stride):
        x = convolve(x, model.get_layer(f"{name}_conv"), stride)
        return normalize(x, model.get_layer(f"{name}_norm"), training)

    def relu(x):
        return np.maximum(x, 0)

    x = relu(step((x - 127.5) / 127.5, "stem", 2))
    x = windows(x, 3, 2, 1, around=-np.inf).max((4, 5))
    for group, count in enumerate(blocks, start=1):
        for block in range(1, count + 1):
            name = f"group{group}_block{block}"
            stride = 2 if group > 1 and block == 1 else 1
            y = step(relu(step(x, f"{name}_first", stride)), f"{name}_second", 1)
            if stride > 1:
                x = step(x, f"{name}_shortcut", stride)
            x = relu(x + y)
    return x.mean((1, 2)) @ model.get_layer("head").kernel + model.get_layer("head").bias


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("size", [(21, 26), (24, 17)])
def test_outputs_equal_those_of_the_literature_in_numpy(size, training):
    model = scattered(resnet(3, (8, 8, 1), (1, 2, 1), (3, 4, 6), dtype="float64"))
    x = np.random.default_rng(0).integers(0, 256, size=(2, *size, 1)).astype("float64")
    expected = by_hand(model, x, (1, 2, 1), training)
    np.testing.assert_allclose(model(x, training=training), expected, rtol=1e-9)


@pytest.mark.parametrize("size", [16, 28, 33])
def test_any_size_is_taken(size):
    model = tiny(shape=(size, size, 1))
    assert model.inputs[0].shape == (None, None, None, 1)
    assert image_shape_of(model) == (size, size, 1)
    for other in (size, 40):
        assert model(np.zeros([2, other, other, 1], "uint8")).shape == (2, 3)


def test_embeddings_are_means_over_all_positions():
    model = tiny(way=None)
    x = np.random.default_rng(0).uniform(0, 255, size=(2, 64, 64, 1))
    maps = keras.Model(model.input, model.get_layer("stage4").output)(x)
    assert maps.shape == (2, 2, 2, 8)
    np.testing.assert_allclose(model(x), np.mean(maps, (1, 2)), rtol=1e-5)


LEARNERS = {
    "FOMAML": lambda: FOMAML(
        tiny(),
        inner_steps=2,
        augmentation=MGAug(CatfishMask(0.1), subnetworks=2, resolutions=[32, 28, 20]),
    ),
    "ProtoNet": lambda: ProtoNet(
        tiny(way=None),
        augmentation=MGAug(WidthMask((0.0, 0.5)), subnetworks=2, resolutions=[32, 28, 20]),
    ),
}


@pytest.mark.usefixtures("unoptimized_graphs")
@pytest.mark.parametrize("name", LEARNERS)
def test_it_trains_with_subnetworks_at_lower_resolutions(name):
    learner = LEARNERS[name]()
    before = theta(learner)
    learner.compile(keras.optimizers.Adam(0.01))
    logs = learner.fit(dataset(batch(1, shape=(32, 32, 1))), verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    after = theta(learner)
    assert np.isfinite(flat(after)).all()
    # Over maps of one pixel, a kernel learns its center alone: padding is zero.
    for name, new in after.items():
        center = (1, 1) if new.shape[:2] == (3, 3) else ()
        assert np.mean(new.numpy()[center] != before[name].numpy()[center]) > 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"way": 1}, "`way` must be at least 2.*way=1"),
        ({"image_shape": (15, 32, 3)}, r"at least 16 for 4 groups.*\(15, 32, 3\)"),
        ({"image_shape": (32, 32)}, r"`image_shape` must be \(height, width, channels\)"),
        ({"blocks": (1, 0)}, r"`blocks` must be at least 1.*\(1, 0\)"),
        ({"blocks": (1, 1)}, r"`filters` must have a number.*blocks=\(1, 1\)"),
        ({"filters": (4, 4, 0, 8)}, r"`filters` must have .* at least 1"),
        ({"pooling": "min"}, "`pooling` must be one of .*'min'"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resnet(**{"way": 3, "image_shape": (32, 32, 3), **options})
