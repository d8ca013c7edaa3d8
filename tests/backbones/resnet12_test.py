import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.backbones.by_hand import convolve, normalize, number_of_weights, scattered, windows
from tests.tasks import batch, dataset, flat, scatter, task, theta
from tfmgaug import MGAug
from tfmgaug.backbones import resnet12
from tfmgaug.learners import FOMAML, MAML
from tfmgaug.masks import CatfishMask

SLOPE = float(np.float32(0.1))  # TensorFlow keeps it in float32 whatever it computes in


def tiny(way=3, shape=(16, 16, 1), filters=(3, 4), **options):
    """Two blocks of the four."""
    return resnet12(way, shape, filters, dtype="float64", **options)


def test_it_has_as_many_weights_as_in_the_literature():
    # "12.4 M": what MetaOptNet's and its many descendants' network counts.
    assert number_of_weights(resnet12(None)) == 12_424_320
    blocks, before = 0, 3
    for size in (64, 128, 256, 512):
        blocks += 9 * size * (before + 2 * size) + before * size + 4 * 2 * size
        before = size
    metaticket = resnet12(5, (84, 84, 3), (64, 128, 256, 512))
    assert number_of_weights(metaticket) == blocks + 512 * 5 + 5


# The network as the literature writes it, in numpy: pooling after the activation.


def by_hand(model, x, blocks, training, global_pooling):
    def step(x, name):
        x = convolve(x, model.get_layer(f"{name}_conv"))
        return normalize(x, model.get_layer(f"{name}_norm"), training)

    def leaky_relu(x):
        return np.where(x > 0, x, SLOPE * x)

    x = (x - 127.5) / 127.5
    for n in range(1, blocks + 1):
        y = leaky_relu(step(x, f"block{n}_first"))
        y = leaky_relu(step(y, f"block{n}_second"))
        y = step(y, f"block{n}_third")
        y = leaky_relu(y + step(x, f"block{n}_shortcut"))
        x = windows(y, 2)[:, ::2, ::2].max((4, 5))
    x = x.mean((1, 2)) if global_pooling else x.reshape(len(x), -1)
    kernel, bias = model.get_layer("head").get_weights()
    return x @ kernel.reshape(-1, kernel.shape[-1]) + bias


@pytest.mark.parametrize("global_pooling", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_outputs_equal_those_of_the_literature_in_numpy(training, global_pooling):
    size = (13, 10)  # odd sizes on the way
    model = scattered(tiny(shape=(*size, 1), global_pooling=global_pooling))
    x = np.random.default_rng(0).integers(0, 256, size=(2, *size, 1)).astype("float64")
    expected = by_hand(model, x, 2, training, global_pooling)
    np.testing.assert_allclose(model(x, training=training), expected, rtol=1e-9)


def test_convolutions_start_he_normal_over_fan_out():
    model = resnet12(None, (32, 32, 3), filters=(64, 96))
    found = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(found) == 8
    for layer in found:
        kernel = layer.kernel.numpy()
        deviation = np.sqrt(2 / (kernel.shape[0] * kernel.shape[1] * kernel.shape[3]))
        np.testing.assert_allclose(kernel.std(), deviation, rtol=0.1)
        assert layer.bias is None


def test_the_seed_decides_every_kernel():
    kernels = [flat([w for w in tiny(seed=seed).get_weights() if w.ndim > 1]) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.mean(kernels[0] == kernels[2]) < 1e-3


def test_embeddings_are_means_over_positions_or_all_of_them():
    x = np.random.default_rng(0).uniform(0, 255, size=(2, 12, 16, 1))
    mean, whole = (tiny(way=None, global_pooling=pooled) for pooled in (True, False))
    maps = keras.Model(mean.input, mean.get_layer("stage2").output)(x).numpy()
    assert maps.shape == (2, 3, 4, 4)
    np.testing.assert_allclose(mean(x), maps.mean((1, 2)))
    np.testing.assert_array_equal(whole(x), maps.reshape(2, -1))


def test_images_of_other_sizes_are_taken():
    x = np.zeros([2, 84, 83, 1], "uint8")
    assert tiny()(x).shape == (2, 3)
    flattened = tiny(global_pooling=False)
    assert flattened(x[:, :12, :16]).shape == (2, 3)
    with pytest.raises(ValueError, match="images are too large"):
        flattened(x)


def test_a_copy_from_its_configuration_is_the_same_network():
    model = scattered(tiny())
    copy = keras.Model.from_config(model.get_config())
    copy.set_weights(model.get_weights())
    x = np.random.default_rng(0).uniform(0, 255, size=(2, 16, 16, 1))
    np.testing.assert_array_equal(copy(x), model(x))


def test_meta_gradients_equal_finite_differences():
    smooth = tiny(shape=(8, 8, 1), filters=(2, 3), activation="tanh", pooling="average")
    learner = scatter(MAML(smooth, inner_steps=1, inner_learning_rate=0.5))
    episode, weights = task(batch(shape=(8, 8, 1))), theta(learner)
    direction = [np.random.default_rng(n).normal(size=w.shape) for n, w in enumerate(weights)]

    def loss(step):
        moved = [w + step * d for w, d in zip(weights, direction)]
        return learner.meta_gradient(moved, episode)[1].loss

    found = learner.meta_gradient(weights, episode)[0]
    slope = sum(np.sum(g * d) for g, d in zip(found, direction))
    np.testing.assert_allclose(slope, (loss(2e-7) - loss(-2e-7)) / 4e-7, rtol=1e-7)


class Elementary(keras.layers.Layer):
    """LeakyReLU or 2x2 max pooling in operations whose gradients nobody doubts."""

    def __init__(self, pooling, **options):
        super().__init__(**options)
        self.pooling = pooling

    def call(self, x):
        if not self.pooling:
            return tf.where(x > 0, x, SLOPE * x)
        rows, columns = (tf.shape(x)[axis] // 2 * 2 for axis in (1, 2))
        parts = [x[:, i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1)]
        highest = parts[0]
        for part in parts[1:]:
            highest = tf.where(part > highest, part, highest)
        return highest


def test_the_kinks_of_the_papers_network_are_exact_at_second_order():
    def elementary(layer):
        if not isinstance(layer, (keras.layers.LeakyReLU, keras.layers.MaxPooling2D)):
            return type(layer).from_config(layer.get_config())
        pooling = isinstance(layer, keras.layers.MaxPooling2D)
        return Elementary(pooling, name=layer.name, dtype="float64")

    backbone = tiny(shape=(8, 8, 1), filters=(2, 3))
    other = keras.models.clone_model(backbone, clone_function=elementary)
    assert sum(isinstance(layer, Elementary) for layer in other.layers) == 8
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


@pytest.mark.usefixtures("unoptimized_graphs")
def test_it_trains_with_subnetworks_at_a_lower_resolution():
    mgaug = MGAug(CatfishMask(0.1), subnetworks=1, resolutions=[16, 12])
    learner = FOMAML(tiny(global_pooling=False), inner_steps=1, augmentation=mgaug)
    before = theta(learner)
    learner.compile(keras.optimizers.Adam(0.01))
    logs = learner.fit(dataset(batch(1, shape=(16, 16, 1))), verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert np.isfinite(flat(theta(learner))).all()
    for new, old in zip(theta(learner), before):
        assert np.mean(new.numpy() != old.numpy()) > 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"way": 1}, "`way` must be at least 2.*way=1"),
        ({"image_shape": (15, 32, 3)}, r"at least 16: 4 poolings.*\(15, 32, 3\)"),
        ({"image_shape": (32, 32)}, r"`image_shape` must be \(height, width, channels\)"),
        ({"filters": (4, 4, 0, 8)}, r"`filters` must be at least 1.*\(4, 4, 0, 8\)"),
        ({"filters": ()}, "`filters` must be at least 1"),
        ({"pooling": "min"}, "`pooling` must be one of .*'min'"),
    ],
)
def test_arguments_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resnet12(**{"way": 3, "image_shape": (32, 32, 3), **options})
