import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import smooth_conv, smooth_mlp
from tfmgaug.backbones import conv4, mlp, resnet, resnet10, resnet12, stages, wide_resnet
from tfmgaug.engine.context import Context
from tfmgaug.learners import MAML, ProtoNet

layers = keras.layers


def own(dtype="float64"):
    """A user's functional model with a skip connection, and a name that means nothing."""
    inputs = keras.Input([6, 6, 2], name="image")
    x = layers.Conv2D(3, 3, activation="tanh", dtype=dtype, name="first")(inputs)
    y = layers.Conv2D(3, 3, padding="same", dtype=dtype, name="stage1")(x)
    y = layers.Activation("tanh", dtype=dtype, name="bend")(y)
    x = layers.Add(dtype=dtype, name="sum")([x, y])
    x = layers.GlobalAveragePooling2D(dtype=dtype, name="pool")(x)
    return keras.Model(inputs, layers.Dense(3, dtype=dtype, name="top")(x), name="own")


def sequential(dtype="float64"):
    hidden = [layers.Dense(4, activation="tanh", dtype=dtype, name="hidden")]
    inner = keras.Sequential([keras.Input([3]), *hidden], name="inner")
    top = layers.Dense(3, dtype=dtype, name="top")
    return keras.Sequential([keras.Input([3]), inner, top])


NETWORKS = {
    "conv4": lambda: (smooth_conv(), (16, 16, 1)),
    "mlp": lambda: (smooth_mlp(), (4,)),
    "resnet": lambda: (
        resnet(3, (8, 8, 1), (1, 2), (3, 4), activation="tanh", pooling="average", dtype="float64"),
        (8, 8, 1),
    ),
    "wide_resnet": lambda: (
        wide_resnet(3, (8, 8, 1), 10, 2, 2, activation="tanh", dtype="float64"),
        (8, 8, 1),
    ),
    "own": lambda: (own(), (6, 6, 2)),
    "sequential": lambda: (sequential(), (3,)),
}


def network(name):
    model, shape = NETWORKS[name]()
    draws = np.random.default_rng(0)
    model.set_weights([w + draws.uniform(0, 0.5, w.shape) for w in model.get_weights()])
    return model, draws.uniform(0, 255, size=(6, *shape)).astype("float32")


def names(backbone):
    return [stage.name for stage in stages(backbone)]


def test_our_backbones_are_divided_after_their_blocks():
    blocks = [f"stage{number}" for number in range(1, 5)]
    assert names(conv4(5, (16, 16, 1), 4)) == [*blocks, "head"]
    assert names(conv4(None, (16, 16, 1), 4)) == [*blocks, "embedding"]
    assert names(mlp(5, (4,))) == [*blocks, "head"]
    assert names(mlp(None, (4,))) == blocks
    small = {"image_shape": (16, 16, 1), "filters": (2, 2, 2, 2)}
    assert names(resnet10(5, **small)) == ["stage0", *blocks, "head"]
    assert names(resnet10(None, **small)) == ["stage0", *blocks, "embedding"]
    assert names(resnet12(5, **small)) == [*blocks, "head"]
    assert names(resnet12(None, **small, global_pooling=False)) == [*blocks, "embedding"]
    assert names(wide_resnet(5, (8, 8, 1), 10, 1, 2)) == [*blocks[:3], "head"]


def test_a_users_layers_are_stages_and_a_skip_connection_is_one():
    # "stage1" is within a branch: what follows it sees more than its output.
    assert names(own()) == ["first", "sum", "pool", "top"]
    # Models inside of the model make no difference.
    assert names(sequential()) == ["hidden", "top"]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_stages_one_after_the_other_are_the_backbone(name, training):
    backbone, x = network(name)
    y = x
    for stage in stages(backbone):
        y = stage(y, training=training)
    np.testing.assert_array_equal(y, backbone(x, training=training))
    assert np.ptp(y) > 1e-3


@pytest.mark.parametrize("name", NETWORKS)
def test_the_stages_share_out_the_backbones_weights(name):
    backbone, _ = network(name)
    shared = [id(variable) for stage in stages(backbone) for variable in stage.variables]
    assert sorted(shared) == sorted(id(variable) for variable in backbone.variables)


@pytest.mark.parametrize("name", NETWORKS)
def test_second_order_gradients_flow_through_the_stages(name):
    backbone, x = network(name)
    learner = MAML(backbone)
    parts = stages(learner.backbone)
    weights = learner.network.params

    def in_stages(weights, x):
        for part in parts:
            x, _ = learner.network(weights, x, Context(), model=part)
        return x

    def at_once(weights, x):
        return learner.network(weights, x, Context())[0]

    def meta_gradient(forward):
        with tf.GradientTape() as outer:
            outer.watch(weights)
            with tf.GradientTape() as inner:
                inner.watch(weights)
                loss = tf.reduce_mean(forward(weights, x) ** 2)
            gradients = inner.gradient(loss, weights)
            adapted = {name: w - 0.3 * gradients[name] for name, w in weights.items()}
            query = tf.reduce_mean(forward(adapted, 255 - x) ** 3)
        return outer.gradient(query, weights)

    found, expected = meta_gradient(in_stages), meta_gradient(at_once)
    for name in weights:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-12)


def test_stages_leave_the_backbone_as_it_was(tmp_path):
    backbone = conv4(None, (16, 16, 1), 2)
    before = backbone.get_config()
    assert len(stages(backbone)) == len(stages(backbone)) == 5
    assert backbone.get_config() == before
    learner = ProtoNet(backbone)
    learner.save(tmp_path / "learner.keras")
    loaded = keras.models.load_model(tmp_path / "learner.keras")
    for found, expected in zip(loaded.get_weights(), learner.get_weights()):
        np.testing.assert_array_equal(found, expected)


def test_what_has_no_stages_is_refused():
    with pytest.raises(TypeError, match="functional or sequential.*Dense 'lonely'"):
        stages(layers.Dense(3, name="lonely"))
    with pytest.raises(ValueError, match="built model"):
        stages(keras.Sequential([layers.Dense(3)]))
    inputs = keras.Input([4])
    two = keras.Model(inputs, [layers.Dense(3)(inputs), layers.Dense(2)(inputs)])
    with pytest.raises(ValueError, match="1 inputs and 2 outputs"):
        stages(two)
