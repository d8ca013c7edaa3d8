"""Draws that a user gives in place of ours, against what they give by hand."""

import keras
import numpy as np
import tensorflow as tf

from tests.helpers.numpy_layers import convolve
from tests.helpers.numpy_network import NumpyNetwork, plain_mlp, sampler
from tests.helpers.single_task import task_gradient, training_run
from tests.helpers.tasks import batch, images, scatter, smooth_mlp, task
from tfmgaug import MGAug
from tfmgaug.backbones import mlp
from tfmgaug.callbacks import IteRand
from tfmgaug.engine.inner_optimizers import SGD
from tfmgaug.learners import ANIL, FOMAML, MetaTicket, Reptile
from tfmgaug.masks import Mask, ScoreMask
from tfmgaug.randomness import fold, key
from tfmgaug.regularizers import (
    ChannelShuffle,
    CutMix,
    DropBlock,
    GradDrop,
    MaxUp,
    MRActivations,
    MRWeights,
    RandomErase,
    RotateClasses,
)
from tfmgaug.regularizers.channel_shuffle import Shuffle
from tfmgaug.regularizers.cutmix import Cut

RATE = 0.5
DRAWS = np.random.default_rng(0)
EPISODE = sampler(shot=2).episode(0)


class GivenMask(Mask):
    """Prunes by arrays of zeros and ones `[tasks, sub-networks, ...]`, by the names of weights."""

    def __init__(self, arrays):
        super().__init__(rates=0.0)
        self._arrays = {name: tf.constant(array) for name, array in arrays.items()}

    def draw(self, weights, gradients, subnetwork):
        index, number = subnetwork.episode_index, tf.cast(subnetwork.number, tf.int64)
        return {name: array[index, number] for name, array in self._arrays.items()}


def test_a_mask_is_told_its_task_and_its_subnetwork():
    shapes = {"dense1_kernel": (4, 5), "dense2_kernel": (5, 4)}
    arrays = {name: DRAWS.integers(0, 2, (3, 2, *shape)) for name, shape in shapes.items()}
    pupil = scatter(FOMAML(smooth_mlp(), augmentation=MGAug(GivenMask(arrays), subnetworks=2)))
    data, learned = batch(2, first=1), []
    for place, index in enumerate((1, 2)):
        for number in range(2):
            kept = {name: array[index, number] for name, array in arrays.items()}
            learned.append(task_gradient(pupil, task(data, place), weight_transform=times(kept)))
        learned.append(task_gradient(pupil, task(data, place)))
    for name, gradient in pupil.meta_gradients(data).items():
        expected = sum(taught.gradients[name] for taught in learned) / 2
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-12)


def times(kept):
    return lambda weights: {name: kept.get(name, 1) * w for name, w in weights.items()}


def chosen_by(draw_key, keys):
    """Which of some keys a draw is for: exactly one."""
    places = tf.where(tf.reduce_all(tf.stack(keys) == draw_key, axis=1))
    return tf.ensure_shape(tf.squeeze(places), [])


def numbered(arrays):
    """Arrays `[n, ...]`, one for each weight of the network."""
    names = ("dense1_kernel", "dense1_bias", "head_kernel", "head_bias")
    return dict(zip(names, arrays, strict=True))


def test_inner_gradients_are_multiplied_by_given_factors():
    class Given(GradDrop):
        def draw(self, gradients, rate, key):
            return {n: tf.constant(a)[chosen_by(key, keys)] for n, a in factors.items()}

    settings = {"inner_steps": 2, "inner_learning_rate": RATE}
    pupil = FOMAML(plain_mlp(), regularizers=[Given()], **settings)
    network, task_key = NumpyNetwork(pupil.backbone), pupil.task_key(EPISODE)
    keys = [fold(task_key, step, "gradients", 0) for step in range(2)]
    factors = numbered([DRAWS.normal(size=(2, *w.shape)) for w in network.weights])
    weights = network.weights
    for step in range(2):
        slopes = network.gradient(EPISODE.support_x, EPISODE.support_y, weights)
        steps = zip(weights, slopes, factors.values())
        weights = [w - RATE * noise[step] * slope for w, slope, noise in steps]
    adapted = training_run(pupil, EPISODE).adapted
    for name, weight in numbered(weights).items():
        np.testing.assert_allclose(adapted[name], weight, rtol=1e-6)


def test_weights_are_drawn_with_given_noise():
    class Given(MRWeights):
        def draw(self, params, key):
            return {"dense1_kernel": tf.constant(noise)[chosen_by(key, keys)]}

    pupil = FOMAML(
        plain_mlp(),
        inner_steps=1,
        inner_learning_rate=RATE,
        regularizers=[Given(initial_deviation=0.3)],
    )
    network, task_key = NumpyNetwork(pupil.backbone), pupil.task_key(EPISODE)
    keys = [fold(task_key, *at, "weights", 0) for at in (("support", 0), ("query",))]
    mean, *others = network.weights
    noise = DRAWS.normal(size=(2, *mean.shape))
    drawn = [mean + 0.3 * noise[0], *others]
    slopes = network.gradient(EPISODE.support_x, EPISODE.support_y, drawn)
    mean, *others = (w - RATE * slope for w, slope in zip(network.weights, slopes))
    expected = network.logits(EPISODE.query_x, [mean + 0.3 * noise[1], *others])
    np.testing.assert_allclose(training_run(pupil, EPISODE).logits, expected, rtol=1e-5)


def head_after_a_step(hidden, labels, kernel, bias):
    """Softmax regression on what the body hands on, after a step of gradient descent."""
    errors = np.exp(hidden @ kernel + bias)
    errors = errors / errors.sum(1, keepdims=True) - np.eye(bias.size)[labels]
    errors /= len(labels)
    return kernel - RATE * hidden.T @ errors, bias - RATE * errors.sum(0)


def test_activations_are_drawn_with_given_noise():
    class Given(MRActivations):
        def draw(self, deviation, key):
            return tf.constant(noise[chosen_by(key, keys)])

    regularizer = Given()
    pupil = ANIL(plain_mlp(), inner_steps=1, inner_learning_rate=RATE, regularizers=[regularizer])
    for variable in regularizer.variables:
        variable.assign(DRAWS.normal(size=variable.shape))
    spread, start = (variable.numpy() for variable in regularizer.variables)
    kernel, bias, *head = NumpyNetwork(pupil.backbone).weights
    task_key = pupil.task_key(EPISODE)
    keys = [fold(task_key, at, "activations", 0) for at in ("support", "query")]
    noise, drawn = [DRAWS.normal(size=(6, 6)) for _ in keys], []
    for x, numbers in zip((EPISODE.support_x, EPISODE.query_x), noise, strict=True):
        mean = np.tanh((x.reshape(len(x), -1) - 127.5) / 127.5 @ kernel + bias)
        drawn.append(mean + np.log1p(np.exp(mean @ spread + start)) * numbers)
    head = head_after_a_step(drawn[0], EPISODE.support_y, *head)
    expected = drawn[1] @ head[0] + head[1]
    np.testing.assert_allclose(training_run(pupil, EPISODE).logits, expected, rtol=1e-6)


def test_features_are_dropped_as_given():
    class Given(DropBlock):
        def draw(self, shape, size, rate, key):
            number = chosen_by(key, keys)
            assert (shape.numpy()[-1], size) == ((1, 3), (2, 2))[number % 2]
            return tf.constant(kept[number])

    layers = keras.layers
    first = [keras.Input((4, 4, 1)), layers.Rescaling(1 / 255, name="first")]
    second = layers.Conv2D(2, 3, padding="same", use_bias=False, name="second")
    network = keras.Sequential([*first, second, layers.Flatten(), layers.Dense(3, name="head")])
    block = Given(block_sizes=[3, 2])
    pupil = ANIL(network, inner_steps=1, inner_learning_rate=RATE, regularizers=[block])
    moments = [fold(pupil.task_key(EPISODE), at) for at in ("support", "query")]
    keys = [fold(at, "activations", 0, name) for at in moments for name in ("first", "second")]
    kept = [DRAWS.integers(0, 2, (6, 4, 4, n)).astype("float32") for n in (1, 2, 1, 2)]
    scales = [mask * mask.size / mask.sum() for mask in kept]
    hidden = []
    for number, x in enumerate((EPISODE.support_x, EPISODE.query_x)):
        x = convolve(x / 255 * scales[2 * number], pupil.backbone.get_layer("second"))
        hidden.append((x * scales[2 * number + 1]).reshape(len(x), -1))
    head = [variable.numpy() for variable in pupil.backbone.get_layer("head").variables]
    head = head_after_a_step(hidden[0], EPISODE.support_y, *head)
    expected = hidden[1] @ head[0] + head[1]
    np.testing.assert_allclose(training_run(pupil, EPISODE).logits, expected, rtol=1e-4, atol=1e-5)


def test_inner_batches_are_those_given():
    batches = np.array([[0, 3], [5, 1]])

    class Given(Reptile):
        def draw(self, examples, size, number, key):
            return tf.constant(batches)[number]

    settings = {"inner_steps": 2, "inner_batch": 2, "inner_learning_rate": RATE}
    pupil = Given(plain_mlp(), inner_optimizer=SGD(), **settings)
    network = NumpyNetwork(pupil.backbone)
    weights = network.weights
    for chosen in batches:
        x, y = EPISODE.support_x[chosen], EPISODE.support_y[chosen]
        slopes = network.gradient(x, y, weights)
        weights = [w - RATE * slope for w, slope in zip(weights, slopes)]
    adapted = training_run(pupil, EPISODE).adapted
    for name, weight in numbered(weights).items():
        np.testing.assert_allclose(adapted[name], weight, rtol=1e-6)


def test_given_rectangles_are_erased():
    draws = np.array([[0.1, 0.7, 0.3], [0.9, 0.5, 0.0], [0.2, 0.5, 1.0], [0.5, 0, 0.9], [0.3] * 3])

    class Given(RandomErase):
        def draw(self, number, key):
            return tf.constant(draws, tf.float32)

    before = DRAWS.integers(0, 256, (3, 8, 10, 3)).astype("uint8")
    expected, color = before.copy(), before.mean((0, 1, 2)).astype("uint8")
    for image, (chosen, area, ratio, y, x) in zip(expected, draws.T, strict=True):
        area, ratio = 80 * (0.1 + 0.3 * area), 0.5 * 4**ratio
        height, width = min(round((area / ratio) ** 0.5), 8), min(round((area * ratio) ** 0.5), 10)
        top, left = int(y * (8 - height + 1)), int(x * (10 - width + 1))
        image[top : top + height, left : left + width][chosen < 0.6] = color
    erase = Given(0.6, area=(0.1, 0.4), aspect_ratio=(0.5, 2.0))
    np.testing.assert_array_equal(erase(tf.constant(before), key(0)), expected)
    assert [(a == b).all() for a, b in zip(before, expected)] == [False, True, False]


def test_cutmix_pastes_a_given_rectangle():
    partners = [1, 2, 3, 4, 5, 0]

    class Given(CutMix):
        def draw(self, episode, key):
            return Cut(tf.constant(partners), tf.constant(0.75), (0.5, 0.25))

    episode = task(images())  # 16 x 16: half of each side, around row 8 and column 4
    after, expected = Given()(episode, key(0)), episode.query_x.numpy()
    expected[:, 4:12, 0:8] = expected[partners, 4:12, 0:8]
    np.testing.assert_array_equal(after.query_x, expected)
    np.testing.assert_array_equal(after.query_y.second, episode.query_y.numpy()[partners])
    assert after.query_y.share == 0.75


def test_channels_are_shuffled_as_given():
    stays = np.array([[True, False], [False, True], [False, False]])

    class Given(ChannelShuffle):
        def draw(self, classes, channels, key):
            return Shuffle(1, tf.constant(True), tf.constant([2, 0, 1]), tf.constant(stays))

    shuffle, labels = Given(depths=[1, 2]), np.array([2, 0, 1, 1, 2, 0])
    shuffle.class_places = ("stage1", "stage2")
    x = np.tile(np.arange(6.0)[:, None], 2)
    givers = np.array([1, 2, 0, 4, 5, 3])[:, None]  # 2 takes from 0, 0 from 1 and 1 from 2
    for place, expected in (("stage1", x), ("stage2", np.where(stays[labels], x, givers))):
        arguments = tf.constant(x), place, tf.constant(labels, tf.int32), key(0)
        np.testing.assert_array_equal(shuffle.class_activations(*arguments), expected)


def test_classes_are_turned_as_given_by_the_augmentation_that_is_given():
    class Turned(RotateClasses):
        def draw(self, classes, key):
            return tf.constant([1, 0, 3])

    class Second(MaxUp):
        def draw(self, number, key):
            return tf.constant(1)

    backbone = mlp(3, (16, 16, 1), hidden=(4,))
    pupil, episode = (
        FOMAML(backbone, regularizers=[Second(1, [CutMix(), Turned()])]),
        task(images()),
    )
    turned = training_run(pupil, episode).episode.query_x
    turns = np.array([1, 0, 3])[episode.query_y.numpy()]
    for image, before, number in zip(turned, episode.query_x.numpy(), turns, strict=True):
        np.testing.assert_array_equal(image, np.rot90(before, number))


def test_pruned_weights_are_replaced_by_given_weights():
    class Given(IteRand):
        def draw(self, learner, number):
            drawn.append(number)
            return {"dense1_kernel": (chosen, tf.constant(weights))}

    chosen, weights, drawn = DRAWS.random((4, 5)) < 0.5, DRAWS.normal(size=(4, 5)), []
    ticket = MetaTicket(mlp(3, (4,), (5,), dtype="float64"), score_mask=ScoreMask(0.5))
    ticket.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = ticket.network.variables["dense1_kernel"].numpy()
    data = tf.data.Dataset.from_tensors(batch()).repeat(2)
    ticket.fit(data, callbacks=[Given(every=2)], verbose=0)
    pruned = ticket.score_mask.masks()["dense1_kernel"].numpy() == 0
    expected = np.where(pruned & chosen, weights, before)
    np.testing.assert_array_equal(ticket.network.variables["dense1_kernel"], expected)
    assert drawn == [1]
    assert 0 < np.sum(pruned & chosen) < np.sum(pruned)
