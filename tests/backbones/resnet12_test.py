import keras
import numpy as np
import pytest

from tests.helpers.numpy_layers import convolve, normalize, number_of_weights, scattered, windows
from tests.helpers.short_training import assert_one_step_moves_all_weights
from tests.helpers.tasks import batch
from tfmgaug import MGAug
from tfmgaug.backbones import resnet12
from tfmgaug.learners import FOMAML
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


@pytest.mark.usefixtures("unoptimized_graphs")
def test_it_trains_with_subnetworks_at_a_lower_resolution():
    mgaug = MGAug(CatfishMask(0.1), subnetworks=1, resolutions=[16, 12])
    learner = FOMAML(tiny(global_pooling=False), inner_steps=1, augmentation=mgaug)
    assert_one_step_moves_all_weights(learner, batch(1, shape=(16, 16, 1)))


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
