import numpy as np
import pytest
import scipy.stats
import tensorflow as tf

from tfmgaug import randomness
from tfmgaug.randomness import beta, fold, key, permutation


@pytest.mark.parametrize("concentration", [(2.0, 2.0), (0.5, 0.5), (3.0, 1.0)])
def test_beta_draws_have_the_distribution_of_their_name(concentration):
    keys = tf.stack([fold(key(0), number) for number in range(400)])
    draws = tf.map_fn(lambda k: beta(concentration, k), keys, fn_output_signature=tf.float32)
    assert scipy.stats.kstest(draws.numpy(), scipy.stats.beta(*concentration).cdf).pvalue > 0.01


def test_the_limit_of_a_beta_distribution_is_one():
    assert float(beta((1.0, 1e-30), key(0))) == 1.0


def test_every_order_is_as_likely_as_the_others():
    orders = [tuple(permutation(3, fold(key(0), n)).numpy()) for n in range(600)]
    counts = {order: orders.count(order) for order in set(orders)}
    assert len(counts) == 6
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.01


def test_a_permutation_takes_a_number_that_is_known_at_run_time_only():
    graph = tf.function(lambda n: permutation(n, key(3)), autograph=False)
    np.testing.assert_array_equal(graph(tf.constant(9)), permutation(9, key(3)))


def test_a_shape_may_be_a_tensor():
    x = tf.zeros([2, 3])
    for draw in (randomness.uniform, randomness.normal):
        expected = draw([2, 3], randomness.key(5))
        np.testing.assert_array_equal(draw(tf.shape(x), randomness.key(5)), expected)
        np.testing.assert_array_equal(draw([tf.shape(x)[0], 3], randomness.key(5)), expected)
        assert draw([], randomness.key(5)).shape == ()
