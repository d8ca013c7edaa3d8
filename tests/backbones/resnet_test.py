import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.tasks import batch, dataset, flat, scatter, task, theta
from tfmgaug import MGAug
from tfmgaug.backbones import resnet, resnet10, resnet18
from tfmgaug.backbones.preparation import image_shape_of
from tfmgaug.learners import FOMAML, MAML, ProtoNet
from tfmgaug.masks import CatfishMask, WidthMask


def tiny(way=3, shape=(32, 32, 1), filters=(4, 4, 8, 8), **options):
    return resnet10(way, shape, filters=filters, **options)


def smooth(**options):
    """Two groups, with all that a residual network has and no kinks."""
    options = {"blocks": (1, 2), "filters": (3, 4), "activation": "tanh", **options}
    return resnet(3, (8, 8, 1), dtype="float64", **options)


def number_of_weights(model):
    return sum(variable.shape.num_elements() for variable in model.trainable_variables)


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


def windows(x, size, stride, padding, value=0.0):
    edges = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    x = np.pad(x, edges, constant_values=value)
    found = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return found[:, ::stride, ::stride]  # [n, height, width, channels, size, size]


def by_hand(model, x, blocks, training):
    def convolve_and_normalize(x, name, stride):
        kernel = model.get_layer(f"{name}_conv").kernel.numpy()
        size = len(kernel)
        x = np.einsum("nhwcij,ijco->nhwo", windows(x, size, stride, size // 2), kernel)
        norm = model.get_layer(f"{name}_norm")
        gamma, beta, mean, variance = norm.get_weights()
        if training:
            mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        return gamma * (x - mean) / np.sqrt(variance + norm.epsilon) + beta

    def relu(x):
        return np.maximum(x, 0)

    x = relu(convolve_and_normalize((x - 127.5) / 127.5, "stem", 2))
    x = windows(x, 3, 2, 1, -np.inf).max((4, 5))
    for group, count in enumerate(blocks, start=1):
        for block in range(1, count + 1):
            name = f"group{group}_block{block}"
            stride = 2 if group > 1 and block == 1 else 1
            y = relu(convolve_and_normalize(x, f"{name}_first", stride))
            y = convolve_and_normalize(y, f"{name}_second", 1)
            if stride > 1:
                x = convolve_and_normalize(x, f"{name}_shortcut", stride)
            x = relu(x + y)
    return x.mean((1, 2)) @ model.get_layer("head").kernel + model.get_layer("head").bias


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("size", [(21, 26), (24, 17)])
def test_outputs_equal_those_of_the_literature_in_numpy(size, training):
    model = smooth(blocks=(1, 2, 1), filters=(3, 4, 6), activation="relu")
    draws = np.random.default_rng(0)
    model.set_weights([w + draws.uniform(0, 1, w.shape) for w in model.get_weights()])
    x = draws.integers(0, 256, size=(2, *size, 1)).astype("float64")
    expected = by_hand(model, x, (1, 2, 1), training)
    np.testing.assert_allclose(model(x, training=training), expected, rtol=1e-9)


def test_convolutions_start_he_normal_over_fan_out():
    model = resnet(None, (32, 32, 3), blocks=(1, 1), filters=(64, 96))
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = layer.kernel.numpy()
            deviation = np.sqrt(2 / (kernel.shape[0] * kernel.shape[1] * kernel.shape[3]))
            np.testing.assert_allclose(kernel.std(), deviation, rtol=0.03)
            # A truncated normal would end at two deviations.
            assert np.abs(kernel).max() > 3 * deviation
            assert layer.bias is None


def test_the_seed_decides_every_kernel():
    kernels = [flat([w for w in tiny(seed=seed).get_weights() if w.ndim > 1]) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.mean(kernels[0] == kernels[2]) < 1e-3


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


def test_a_copy_from_its_configuration_is_the_same_network():
    model = tiny()
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).uniform(0, 255, size=(2, 32, 32, 1))
    np.testing.assert_array_equal(copy(x), model(x))


def test_meta_gradients_equal_finite_differences():
    learner = MAML(smooth(pooling="average"), inner_steps=1, inner_learning_rate=0.5)
    scatter(learner)
    episode, weights = task(batch(shape=(8, 8, 1))), theta(learner)
    direction = [np.random.default_rng(n).normal(size=w.shape) for n, w in enumerate(weights)]

    def loss(step):
        moved = [w + step * d for w, d in zip(weights, direction)]
        return learner.meta_gradient(moved, episode)[1].loss

    slope = sum(
        np.sum(g * d) for g, d in zip(learner.meta_gradient(weights, episode)[0], direction)
    )
    np.testing.assert_allclose(slope, (loss(2e-7) - loss(-2e-7)) / 4e-7, rtol=1e-7)


class ElementaryPooling(keras.layers.MaxPooling2D):
    """Max pooling of 3x3 windows in operations whose gradients nobody doubts."""

    def call(self, x):
        height, width = (tf.shape(x)[1] - 1) // 2, (tf.shape(x)[2] - 1) // 2
        highest = None
        for row in range(3):
            for column in range(3):
                part = x[:, row : row + 2 * height - 1 : 2, column : column + 2 * width - 1 : 2]
                highest = part if highest is None else tf.where(part > highest, part, highest)
        return highest


def test_overlapping_max_pooling_is_exact_at_second_order():
    def elementary(layer):
        kind = ElementaryPooling if isinstance(layer, keras.layers.MaxPooling2D) else type(layer)
        return kind.from_config(layer.get_config())

    backbone = smooth()
    other = keras.models.clone_model(backbone, clone_function=elementary)
    assert isinstance(other.get_layer("stem_pool"), ElementaryPooling)
    first, learner, expected = (
        kind(one, inner_steps=1, inner_learning_rate=0.5)
        for kind, one in ((FOMAML, backbone), (MAML, backbone), (MAML, other))
    )
    scatter(learner)
    episode = task(batch(shape=(8, 8, 1)))
    first, found, expected = (
        flat(one.meta_gradient(theta(learner), episode)[0]) for one in (first, learner, expected)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)
    assert np.abs(first - found).max() > 1e-3


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
    for new, old in zip(after, before):
        center = (1, 1) if new.shape[:2] == (3, 3) else ()
        assert np.mean(new.numpy()[center] != old.numpy()[center]) > 0.5


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
