import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.tasks import regression, small_conv, smooth_mlp
from tfmgaug.backbones import mlp
from tfmgaug.learners import FOMAML, ProtoNet
from tfmgaug.saved_model import export

RATE = 0.1


def sequences(outputs=1):
    """`y_t = x_t W + b` for each of four moments: targets `[n, 4, outputs]`."""
    inputs = keras.Input((4, 3), dtype="float64")
    backbone = keras.Model(inputs, keras.layers.Dense(outputs, dtype="float64")(inputs))
    return FOMAML(backbone, loss="mean_squared_error", inner_steps=1, inner_learning_rate=RATE)


def after_one_step(learner, x, y):
    """The weights after a step on the mean squared error, by hand."""
    kernel, bias = (np.asarray(v) for v in learner.backbone.trainable_variables)
    errors = 2 * (x @ kernel + bias - y) / y.size
    gradient = np.tensordot(x, errors, ([0, 1], [0, 1]))
    return kernel - RATE * gradient, bias - RATE * errors.sum((0, 1))


@pytest.mark.parametrize("outputs", [1, 2])
def test_targets_of_any_shape_adapt_as_by_hand(outputs):
    learner, draws = sequences(outputs), np.random.default_rng(0)
    x, y, q = (draws.normal(size=[n, 4, d]) for n, d in ((5, 3), (5, outputs), (2, 3)))
    kernel, bias = after_one_step(learner, x, y)
    found = learner.adapt(x, y).predict(q)
    np.testing.assert_allclose(found, q @ kernel + bias, rtol=1e-10)


def test_the_export_keeps_the_shape_of_targets(tmp_path):
    learner, draws = sequences(), np.random.default_rng(0)
    x, y = draws.normal(size=[5, 4, 3]).astype("float32"), draws.normal(size=[5, 4, 1])
    export(learner, tmp_path / "export")
    function = tf.saved_model.load(str(tmp_path / "export")).signatures["adapt_and_predict"]
    assert function.structured_input_signature[1]["support_y"].shape.as_list() == [None, 4, 1]
    kernel, bias = after_one_step(learner, x, y)
    found = function(support_x=x, support_y=y.astype("float32"), query_x=x)["values"]
    np.testing.assert_allclose(found, x @ kernel + bias, rtol=1e-5, atol=1e-6)


def scalar():
    return FOMAML(mlp(1, (1,), (4,), dtype="float64"), loss="mean_squared_error", inner_steps=1)


def test_a_vector_of_targets_is_a_column():
    learner, x = scalar(), np.linspace(-1, 1, 5)[:, None]
    expected = learner.adapt(x, np.sin(x)).predict(x)
    np.testing.assert_array_equal(learner.adapt(x, np.sin(x)[:, 0]).predict(x), expected)


def test_targets_that_would_be_broadcast_are_refused():
    learner, x = scalar(), np.ones([5, 1])
    with pytest.raises(ValueError, match=r"\('n', 1\), as the backbone's outputs, or \[n\]"):
        learner.adapt(x, np.ones([5, 2]))
    inputs, query_y = regression()
    wide = np.repeat(inputs["support_y"], 2, axis=-1)
    with pytest.raises(ValueError, match="Expected `support_y`"):
        learner.meta_gradients(({**inputs, "support_y": wide}, query_y))
    with pytest.raises(ValueError, match=r"\('n', 4, 1\).*Received: \('n', 4\)"):
        sequences().adapt(np.ones([5, 4, 3]), np.ones([5, 4]))


class Halves(keras.losses.Loss):
    """Of the user's own: an output is a mean and a deviation, a target one value."""

    classification = False

    def call(self, y_true, y_pred):
        return tf.reduce_mean((y_true - y_pred[:, :1]) ** 2 + y_pred[:, 1:] ** 2, axis=-1)


def test_a_loss_of_the_users_own_says_what_targets_are():
    learner = FOMAML(mlp(2, (1,), (4,)), loss=Halves(), inner_steps=1)
    assert learner.adapt(np.ones([5, 1]), np.ones([5])).predict(np.ones([3, 1])).shape == (3, 2)


@pytest.fixture(scope="module")
def conv():
    return ProtoNet(small_conv(way=None))


def pictures(size=16, number=4, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, [number, size, size, 1]).astype("float32")


def resized(images):
    return tf.image.resize(images, (16, 16), antialias=True).numpy()


def test_images_of_another_size_are_resized_as_the_export_does(conv):
    x, q, y = pictures(40), pictures(24, seed=1), [0, 1, 2, 0]
    expected = conv.adapt(resized(x), y).predict(resized(q))
    np.testing.assert_array_equal(conv.adapt(x, y).predict(q), expected)
    whole = conv.adapt(x.astype("uint8"), y).predict(q.astype("uint8"))
    np.testing.assert_allclose(whole, expected, atol=0.05)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones([16, 16, 1]), r"A single example is a batch of one: x\[None\]"),
        (np.ones([2, 16, 16, 3]), r"\('n', 16, 16, 1\), or of .*Received: \(2, 16, 16, 3\)"),
        (np.ones([2, 0, 16, 1]), r"Received: \(2, 0, 16, 1\)"),
        ([np.ones([16, 16, 1]), np.ones([8, 8, 1])], "one array of numbers"),
        (["cat.png", "dog.png"], "one array of numbers"),
        (None, "one array of numbers"),
    ],
)
def test_what_are_no_images_is_refused(conv, x, message):
    with pytest.raises(ValueError, match=f"`query_x`.*{message}"):
        conv.adapt(pictures(), [0, 1, 2, 0]).predict(x)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(conv, bad):
    x, y, spoiled = pictures(), [0, 1, 2, 0], pictures()
    spoiled[2, 3, 4] = bad
    message = "1 that are NaN or infinite, the first in example 2"
    with pytest.raises(ValueError, match=f"`support_x`.*{message}"):
        conv.adapt(spoiled, y)
    with pytest.raises(ValueError, match=f"`query_x`.*{message}"):
        conv.adapt(x, y).predict(spoiled)
    with pytest.raises(ValueError, match="`support_y`.*NaN or infinity"):
        scalar().adapt(np.ones([2, 1]), [0.0, bad])


@pytest.fixture(scope="module")
def exported(conv, tmp_path_factory):
    path = export(conv, tmp_path_factory.mktemp("models") / "export")
    return tf.saved_model.load(str(path)).signatures


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_export_refuses_numbers_that_are_not_finite(exported, bad):
    x, spoiled, y = pictures(), pictures(), np.array([0, 1, 2, 0], "int32")
    spoiled[2, 3, 4] = bad
    state = exported["adapt"](support_x=x, support_y=y)
    with pytest.raises(tf.errors.InvalidArgumentError, match="finite numbers in query_x"):
        exported["predict"](query_x=spoiled, **state)
    with pytest.raises(tf.errors.InvalidArgumentError, match="finite numbers in support_x"):
        exported["adapt"](support_x=spoiled, support_y=y)


def test_an_export_without_a_way_bounds_its_labels(exported):
    y = np.array([0, 1, 2, 300_000_000], "int32")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"from 0 to 9999.*300000000"):
        exported["adapt_and_predict"](support_x=pictures(), support_y=y, query_x=pictures())


def test_vectors_are_never_resized():
    learner = FOMAML(smooth_mlp(), inner_steps=1)
    with pytest.raises(ValueError, match=r"\('n', 4\)\. Received: \(3, 5\)\."):
        learner.adapt(np.ones([3, 5]), [0, 1, 2])
