import numpy as np
import pytest
import tensorflow as tf

from tfmgaug.engine.tree_sum import TreeSum


def terms(number, seed=0):
    draws = np.random.default_rng(seed)
    return (draws.normal(size=(number, 50)) * 10 ** draws.uniform(-3, 3, (number, 1))).astype("f4")


def tree_total(terms, number_known=True):
    tree = TreeSum([tf.zeros(terms.shape[1:])], len(terms) if number_known else None)
    levels = tree.start()
    for count, term in enumerate(terms):
        levels = tree.add(levels, tf.constant(count), [tf.constant(term)])
    return tree.total(levels)[0].numpy()


def pairwise(terms):
    """Adds neighbors, then neighboring sums; for powers of two."""
    while len(terms) > 1:
        terms = [left + right for left, right in zip(terms[::2], terms[1::2])]
    return terms[0]


@pytest.mark.parametrize("number_known", [True, False])
@pytest.mark.parametrize("number", range(1, 10))
def test_any_number_of_terms_is_summed(number, number_known):
    integers = np.random.default_rng(0).integers(-1000, 1000, (number, 3)).astype("float32")
    np.testing.assert_array_equal(tree_total(integers, number_known), integers.sum(0))


@pytest.mark.parametrize("number_known", [True, False])
@pytest.mark.parametrize("number", [1, 2, 4, 8, 16])
def test_the_order_is_pairwise(number, number_known):
    found = tree_total(terms(number), number_known)
    np.testing.assert_array_equal(found, pairwise(list(terms(number))))


def test_a_running_sum_would_round_otherwise():
    running = np.zeros(50, "float32")
    for term in terms(8):
        running += term
    assert (running != pairwise(list(terms(8)))).any()


def test_halves_summed_apart_give_the_same_bits():
    halves = tree_total(terms(8)[:4]) + tree_total(terms(8)[4:])
    np.testing.assert_array_equal(halves, tree_total(terms(8)))


@pytest.mark.parametrize("number", [1, 3, 6, 8])
def test_a_loop_of_unknown_length_gives_the_same_bits(number):
    @tf.function(input_signature=[tf.TensorSpec([None, 50])])
    def total(terms):
        tree = TreeSum([terms[0]])
        levels = tf.while_loop(
            lambda count, _: count < tf.shape(terms)[0],
            lambda count, levels: (count + 1, tree.add(levels, count, [terms[count]])),
            (tf.constant(0), tree.start()),
        )[1]
        return tree.total(levels)[0]

    np.testing.assert_array_equal(total(terms(number)), tree_total(terms(number)))


def test_lists_of_tensors_are_summed_side_by_side():
    tree = TreeSum([tf.zeros(2), tf.zeros([], tf.float64)], 3)
    levels = tree.start()
    for count in range(3):
        levels = tree.add(levels, tf.constant(count), [tf.ones(2), tf.constant(2.0, tf.float64)])
    vector, scalar = tree.total(levels)
    np.testing.assert_array_equal(vector, [3, 3])
    assert float(scalar) == 6
