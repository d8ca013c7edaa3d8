import gc
import weakref

import numpy as np
import tensorflow as tf

from tfmgaug.custom_gradient import custom_gradient


@custom_gradient
def cube(x):
    """`x^3`, with seven times its gradient, so that it can be told from TensorFlow's own."""

    def gradient(upstream):
        return 21 * upstream * x**2

    return x**3, gradient


def slope(function, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = function(x)
    return tape.gradient(value, x)


def in_a_loop(x):
    return tf.while_loop(lambda n, _: n < 2, lambda n, y: (n + 1, cube(y)), (0, x))[1]


def test_the_gradient_is_used_eagerly_in_graphs_and_in_loops():
    x = tf.constant(2.0)
    assert slope(cube, x) == 84
    assert tf.function(lambda x: slope(cube, x))(x) == 84
    assert tf.function(lambda x: slope(lambda y: slope(cube, y), x))(x) == 84  # its gradient
    np.testing.assert_allclose(tf.function(lambda x: slope(in_a_loop, x))(x), 21 * 64 * 84)


def test_a_graph_dies_with_its_function():
    function = tf.function(lambda x: slope(cube, x), autograph=False)
    graph = weakref.ref(function.get_concrete_function(tf.TensorSpec([])).graph)
    del function
    gc.collect()
    assert graph() is None


def test_a_function_outlives_the_graph_that_it_was_first_called_in():
    inner = tf.function(in_a_loop)
    outer = tf.function(lambda x: inner(x))
    outer(tf.constant(2.0))
    del outer
    gc.collect()
    again = tf.function(lambda x: slope(inner, x))
    np.testing.assert_allclose(again(tf.constant(2.0)), 21 * 64 * 84)
