import keras
import numpy as np
import pytest

from tfmgaug.backbones import conv4, mlp, resnet, resnet12, wide_resnet
from tfmgaug.backbones.head import classifier_of
from tfmgaug.backbones.preparation import prepare
from tfmgaug.engine.network import Network
from tfmgaug.layers import BatchNormalization
from tfmgaug.masks import WidthMask, cut
from tfmgaug.masks.mask import at_rate

layers = keras.layers
RATE = 0.4


def own(dtype="float64"):
    """A user's model: biases, Keras's normalization, a nested model, a hidden dense layer."""
    inputs = keras.Input([6, 6, 2])
    x = layers.Conv2D(5, 3, dtype=dtype)(inputs)
    x = layers.BatchNormalization(dtype=dtype)(x)
    y = layers.Conv2D(5, 3, padding="same", activation="relu", dtype=dtype)(x)
    y = BatchNormalization(dtype=dtype)(layers.Add(dtype=dtype)([x, y]))
    inner = keras.Sequential(
        [keras.Input([4, 4, 5]), layers.Conv2D(3, 2, activation="tanh", dtype=dtype)], name="inner"
    )
    x = layers.Flatten(dtype=dtype)(inner(y))
    x = layers.Dense(7, activation="relu", dtype=dtype)(x)
    return keras.Model(inputs, layers.Dense(3, dtype=dtype)(x))


def sequential(dtype="float64"):
    hidden = [layers.Dense(size, activation="relu", dtype=dtype) for size in (5, 10)]
    return keras.Sequential([keras.Input([4]), *hidden, layers.Dense(3, dtype=dtype)])


def residual(way):
    return resnet(way, (16, 16, 1), (2, 1, 1), (5, 5, 8), dtype="float64")


NETWORKS = {
    "conv4": lambda way: conv4(way, (16, 16, 1), 5, fused=False, dtype="float64"),
    "conv4, average pooling": lambda way: conv4(
        way, (20, 33, 1), 5, pooling="average", dtype="float64"
    ),
    "conv4 with a context": lambda way: conv4(
        way, (16, 16, 1), 5, fused=False, context=2, context_blocks=(2, 3), dtype="float64"
    ),
    "mlp": lambda way: mlp(way, (4, 4, 1), (5, 10), dtype="float64"),
    "mlp with a context": lambda way: mlp(
        way, (4,), (5, 10), normalization=False, context=2, dtype="float64"
    ),
    "mlp without normalization": lambda way: mlp(
        way, (4,), (5, 10), normalization=False, dtype="float64"
    ),
    "resnet": residual,
    "resnet12": lambda way: resnet12(way, (9, 8, 1), (3, 5), dtype="float64"),
    "resnet12, flattened": lambda way: resnet12(
        way, (16, 16, 1), (3, 5), global_pooling=False, dtype="float64"
    ),
    "wide_resnet": lambda way: wide_resnet(way, (8, 9, 1), 10, 2, filters=3, dtype="float64"),
    "own": lambda way: own(),
    "sequential": lambda way: sequential(),
}


def network(name, way=3):
    """A network none of whose weights and statistics is where it started."""
    model = prepare(NETWORKS[name](way))
    draws = np.random.default_rng(0)
    model.set_weights([w + draws.uniform(0.1, 0.5, w.shape) for w in model.get_weights()])
    shape = [size or 16 for size in model.inputs[0].shape[1:]]
    return model, draws.uniform(0, 255, size=(4, *shape)).astype("float32")


def masked(model, x, training, rate=RATE, embedding=False):
    """Outputs and statistics of the network under its mask."""
    mask, network = WidthMask(rate), Network(model)
    mask.attach(network, None if embedding else classifier_of(model))
    masks = mask.draw(network.params, None, at_rate(rate))
    weights = list(mask(network.params, masks).values())
    return model.stateless_call(weights, model.non_trainable_variables, x, training=training)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_cut_network_equals_the_masked_one(name, training):
    model, x = network(name)
    outputs, statistics = masked(model, x, training)
    smaller = cut(model, RATE)
    np.testing.assert_allclose(smaller(x, training=training), outputs, rtol=1e-9, atol=1e-9)
    for left, whole in zip(smaller.non_trainable_variables, statistics, strict=True):
        kept = left.shape[0]
        np.testing.assert_allclose(left, whole[:kept], rtol=1e-9, atol=1e-12)
        assert kept < whole.shape[0]
    assert np.ptp(outputs) > 1e-3


@pytest.mark.parametrize(
    "name", ["conv4", "mlp", "mlp without normalization", "resnet", "resnet12", "wide_resnet"]
)
def test_cut_embeddings_are_the_masked_ones_without_zeros(name):
    model, x = network(name, way=None)
    expected = masked(model, x, True, embedding=True)[0].numpy()
    found = cut(model, RATE, embedding=True)(x, training=True).numpy()
    kept = np.any(expected != 0, axis=0)
    assert found.shape[1] < expected.shape[1]
    np.testing.assert_array_equal(expected[:, found.shape[1] :], 0)
    np.testing.assert_allclose(found[:, kept[: found.shape[1]]], expected[:, kept], rtol=1e-9)


def shapes(model):
    return [tuple(variable.shape) for variable in model.variables]


def test_the_cut_network_is_as_one_built_smaller():
    assert shapes(cut(network("conv4")[0], RATE)) == shapes(conv4(3, (16, 16, 1), 3))
    assert shapes(cut(network("mlp")[0], RATE)) == shapes(mlp(3, (4, 4, 1), (3, 6)))
    built = resnet(3, (16, 16, 1), (2, 1, 1), (3, 3, 5))
    assert shapes(cut(network("resnet")[0], RATE)) == shapes(built)


def test_half_of_the_channels_is_a_quarter_of_a_residual_network():
    whole = resnet(5, (32, 32, 3), (1, 1), (32, 64))
    assert 0.24 < cut(whole, 0.5).count_params() / whole.count_params() < 0.27


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_cut_at_rate_zero_and_one_channel_stays_at_the_highest(name):
    model, x = network(name)
    before = [w.copy() for w in model.get_weights()]
    copy = cut(model, 0)
    np.testing.assert_array_equal(copy(x), model(x))
    copy.set_weights([w + 1 for w in before])
    for left, expected in zip(model.get_weights(), before):
        np.testing.assert_array_equal(left, expected)
    np.testing.assert_allclose(
        cut(model, 0.99)(x, training=True), masked(model, x, True, 0.99)[0], rtol=1e-9, atol=1e-9
    )


def test_a_frozen_layer_keeps_its_channels_and_stays_frozen():
    model, x = network("mlp without normalization")
    model.get_layer("dense1").trainable = False
    smaller = cut(model, RATE)
    np.testing.assert_allclose(smaller(x), masked(model, x, False)[0], rtol=1e-9, atol=1e-9)
    assert smaller.get_layer("dense1").kernel.shape == (4, 5)
    assert not smaller.get_layer("dense1").trainable


@keras.saving.register_keras_serializable("tests")
class Own(keras.layers.Layer):
    def call(self, x):
        return x[..., ::-1]


def between(*culprits):
    """A network with something between two convolutions."""
    inputs = keras.Input([8, 8, 4])
    x = layers.Conv2D(4, 3, padding="same", name="before")(inputs)
    for culprit in culprits:
        x = culprit([inputs, x] if isinstance(culprit, layers.Add) else x)
    x = layers.Conv2D(4, 3)(x)
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling2D()(x)))


@pytest.mark.parametrize(
    "culprit",
    [
        layers.GroupNormalization(2, name="culprit"),
        layers.DepthwiseConv2D(3, name="culprit"),
        layers.Conv2D(4, 3, groups=2, name="culprit"),
        layers.Add(name="culprit"),
        layers.Reshape([4, 4, 16], name="culprit"),
        Own(name="culprit"),
    ],
)
def test_what_cannot_be_cut_is_named(culprit):
    model = between(culprit)
    with pytest.raises(ValueError, match=rf"'culprit' \({type(culprit).__name__}\) can't be cut"):
        cut(model, 0.5)
    # Where it has all its channels, it is copied.
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 4)).astype("float32")
    np.testing.assert_allclose(cut(model, 0.1)(x), model(x), rtol=1e-6)


def test_layers_that_meet_different_channels_in_two_calls_are_refused():
    inputs = keras.Input([4])
    shared = layers.Dense(4, name="shared")
    model = keras.Model(inputs, layers.Dense(3)(shared(shared(inputs))))
    with pytest.raises(ValueError, match="'shared'.* several times"):
        cut(model, 0.5)


@pytest.mark.parametrize("pack", [lambda x: [x], lambda x: {"image": x}])
def test_the_input_may_stand_in_a_list_or_a_dictionary(pack):
    plain, x = network("mlp")
    packed = cut(keras.Model(pack(plain.input), plain.output), RATE)
    np.testing.assert_array_equal(packed(pack(x)), cut(plain, RATE)(x))


def test_arguments_out_of_range_are_refused():
    model, _ = network("mlp")
    for rate in (-0.1, 1.0):
        with pytest.raises(ValueError, match="`rates` must be"):
            cut(model, rate)
    with pytest.raises(TypeError, match="functional or sequential"):
        cut(layers.Dense(3), 0.5)
