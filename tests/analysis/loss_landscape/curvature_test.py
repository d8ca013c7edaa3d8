"""The spectral norm against all eigenvalues of the full Hessian."""

import keras
import numpy as np
import pytest
import scipy.linalg
import tensorflow as tf

from tests.helpers.tasks import batch, flat, scatter, smooth_conv, smooth_mlp, task
from tfmgaug.analysis.loss_landscape.curvature import hessian_product, spectral_norm
from tfmgaug.analysis.loss_landscape.support_losses import support_loss
from tfmgaug.backbones import mlp
from tfmgaug.engine.context import Context
from tfmgaug.engine.params import name_of, select
from tfmgaug.learners import MAML
from tfmgaug.randomness import key


def found_of(matrix, **options):
    matrix = tf.constant(matrix)
    like = {"b": tf.zeros(2, tf.float64), "a": tf.zeros((1, len(matrix) - 2), tf.float64)}

    def product(vector):
        whole = tf.concat([vector["b"], vector["a"][0]], 0)
        whole = tf.linalg.matvec(matrix, whole)
        return {"b": whole[:2], "a": whole[None, 2:]}

    return spectral_norm(product, like, key(0), **options)


def symmetric(eigenvalues, seed=0):
    size = len(eigenvalues)
    basis, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))
    return basis @ np.diag(eigenvalues) @ basis.T


def full_hessian(loss, weights):
    columns = []
    for name, weight in weights.items():
        for place in np.ndindex(*weight.shape):
            vector = {other: np.zeros(w.shape) for other, w in weights.items()}
            vector[name][place] = 1
            vector = {other: tf.constant(column) for other, column in vector.items()}
            columns.append(flat(hessian_product(loss, weights, vector)))
    return np.array(columns)


@pytest.mark.parametrize(
    "eigenvalues",
    [
        [5.0, 1.0, 0.5, 0.0, -2.0],
        [2.0, 1.0, 0.5, 0.1, -7.0],  # the largest is negative
        [3.0, 1.0, 0.2, -1.0, -3.0],  # the two largest cancel in a power iteration's vector
        [4.0, 4.0, 4.0, 4.0, 4.0],
    ],
)
def test_it_is_the_largest_absolute_eigenvalue(eigenvalues):
    spectrum = found_of(symmetric(eigenvalues), tolerance=1e-8)
    np.testing.assert_allclose(spectrum.norm, np.abs(eigenvalues).max(), rtol=1e-8)
    assert spectrum.residual <= 1e-8 * spectrum.norm
    assert 1 <= spectrum.iterations <= 5


def test_a_matrix_of_zeros_has_norm_zero():
    spectrum = found_of(np.zeros((4, 4)))
    assert (float(spectrum.norm), float(spectrum.residual), int(spectrum.iterations)) == (0, 0, 1)


@pytest.mark.parametrize("tolerance", [1e-1, 1e-3, 1e-6])
def test_the_residual_bounds_the_error_and_iterations_are_counted(tolerance):
    matrix = symmetric(np.random.default_rng(1).normal(size=60))
    exact = np.abs(scipy.linalg.eigvalsh(matrix))
    spectrum = found_of(matrix, tolerance=tolerance)
    assert spectrum.residual <= tolerance * spectrum.norm
    assert np.min(np.abs(exact - spectrum.norm)) <= spectrum.residual + 1e-12
    assert 3 < spectrum.iterations < 50
    tighter = found_of(matrix, tolerance=tolerance / 10)
    assert tighter.iterations >= spectrum.iterations


def test_it_says_so_when_it_has_not_converged():
    spectrum = found_of(symmetric(np.linspace(1, 2, 40)), tolerance=1e-9, max_iterations=3)
    assert spectrum.iterations == 3
    assert spectrum.residual > 1e-9 * spectrum.norm


def adapted(learner, data, number=0):
    episode = task(data, number)
    initial = learner.initial_state()
    state = learner.adapt_state(initial, episode.support_x, episode.support_y, Context())
    return support_loss(learner, episode), select(state, initial)


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_the_norm_at_adapted_weights_is_that_of_the_full_hessian(network):
    backbone = smooth_mlp() if network == "mlp" else smooth_conv(filters=1)
    data = batch(1) if network == "mlp" else batch(1, shape=(16, 16, 1))
    learner = scatter(MAML(backbone, inner_steps=2, inner_learning_rate=0.3))
    loss, weights = adapted(learner, data)
    hessian = full_hessian(loss, weights)
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-12)
    spectrum = spectral_norm(
        lambda v: hessian_product(loss, weights, v), weights, key(0), tolerance=1e-6
    )
    exact = np.abs(scipy.linalg.eigvalsh(hessian)).max()
    np.testing.assert_allclose(spectrum.norm, exact, rtol=1e-6)


def test_negative_curvature_that_dominates_is_found():
    # A squared error of a saturated unit far from its target: the loss bends down.
    weights = {
        "kernel": tf.constant([[0.9], [0.4]], tf.float64),
        "bias": tf.constant([0.3], tf.float64),
    }
    x = tf.constant([[1.0, 0.5], [0.8, -0.2]], tf.float64)

    def loss(weights):
        return tf.reduce_mean(tf.square(5 + tf.tanh(x @ weights["kernel"] + weights["bias"])))

    eigenvalues = scipy.linalg.eigvalsh(full_hessian(loss, weights))
    assert -eigenvalues.min() > 2 * eigenvalues.max()
    spectrum = spectral_norm(lambda v: hessian_product(loss, weights, v), weights, key(0))
    np.testing.assert_allclose(spectrum.norm, -eigenvalues.min(), rtol=1e-6)


def with_stock_normalization(exact):
    inputs = keras.Input((4,))
    x = inputs
    for layer in exact.layers[1:]:
        kind, config = type(layer), layer.get_config()
        if kind.__name__ == "BatchNormalization":
            stock = keras.layers.BatchNormalization(
                epsilon=layer.epsilon, name=layer.name, dtype="float64"
            )
            x = stock(x)
        else:
            x = kind.from_config(config)(x)
    return keras.Model(inputs, x)


def largest_by_finite_differences(loss, weights):
    """The Hessian from differences of exact first-order gradients."""
    step, columns = 1e-5, []
    for name, weight in weights.items():
        for place in range(int(tf.size(weight))):
            move = np.zeros(int(tf.size(weight)))
            move[place] = step
            ends = []
            for sign in (1, -1):
                moved = {**weights, name: weight + sign * move.reshape(weight.shape)}
                with tf.GradientTape() as tape:
                    tape.watch(moved)
                    value = loss(moved)
                ends.append(flat(tape.gradient(value, moved)))
            columns.append((ends[0] - ends[1]) / (2 * step))
    hessian = np.array(columns)
    return np.abs(scipy.linalg.eigvalsh((hessian + hessian.T) / 2)).max()


def test_it_is_the_curvature_of_the_exact_normalization_and_not_of_kerass():
    # Small normalized layers, where the mean's part in the variance weighs most.
    network = mlp(3, (4,), hidden=(3, 2), activation="tanh", dtype="float64")
    learner = MAML(network, inner_steps=1, inner_learning_rate=0.3)
    scatter(learner, seed=2, scale=2.0)
    loss, weights = adapted(learner, batch(1))
    truth = largest_by_finite_differences(loss, weights)

    def norm_of(loss):
        return spectral_norm(
            lambda v: hessian_product(loss, weights, v), weights, key(0), tolerance=1e-6
        ).norm

    np.testing.assert_allclose(norm_of(loss), truth, rtol=1e-6)

    stock = with_stock_normalization(learner.backbone)
    episode = task(batch(1))

    def stock_loss(weights):
        statistics = stock.non_trainable_variables
        values = [weights[name_of(variable)] for variable in stock.trainable_variables]
        logits, _ = stock.stateless_call(values, statistics, episode.support_x, training=True)
        return learner.outcome(logits, episode.support_y).loss

    # The same function, and another Hessian.
    np.testing.assert_allclose(stock_loss(weights), loss(weights), rtol=1e-10)
    assert norm_of(stock_loss) > 1.3 * truth
