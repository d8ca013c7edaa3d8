"""The batches of support examples that inner steps see, one after another."""

import tensorflow as tf

from tfmgaug.randomness import permutations


def batch_of(x, y, size, number, order):
    """Takes a batch from a support set: batches follow one another in an endless shuffled stream.

    Args:
        x: `[n, ...]`.
        y: `[n, ...]`.
        size: int, examples of a batch; None: the whole support set, in its own order.
        number: int32 scalar, of the batch, from 0.
        order: stateless key, `[2]`, of the shuffling.

    Returns:
        Examples and labels, `[size, ...]` each.
    """
    if size is None:
        return x, y
    examples = tf.shape(x)[0]
    places = number * size + tf.range(size)
    rounds = places // examples
    orders = permutations(examples, order, rounds[0], rounds[-1] - rounds[0] + 1)
    chosen = tf.gather_nd(orders, tf.stack([rounds - rounds[0], places % examples], axis=1))
    return tf.gather(x, chosen), tf.gather(y, chosen)
