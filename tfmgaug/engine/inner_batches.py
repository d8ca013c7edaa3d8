"""The batches of support examples that inner steps see, one after another."""

from collections.abc import Callable

import tensorflow as tf

from tfmgaug.randomness import permutations


def batch_of(
    x: tf.Tensor,
    y: tf.Tensor,
    size: int | None,
    number: int | tf.Tensor,
    order: tf.Tensor,
    draw: Callable | None = None,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Takes a batch from a support set: batches follow one another in an endless shuffled stream.

    Args:
        x: `[n, ...]`.
        y: `[n, ...]`.
        size: int, examples of a batch; None: the whole support set, in its own order.
        number: int32 scalar, of the batch, from 0.
        order: stateless key, `[2]`, of the shuffling.
        draw: function like `shuffled`, which is what None stands for.

    Returns:
        Examples and labels, `[size, ...]` each.
    """
    if size is None:
        return x, y
    chosen = (draw or shuffled)(tf.shape(x)[0], size, number, order)
    return tf.gather(x, chosen), tf.gather(y, chosen)


def shuffled(examples: tf.Tensor, size: int, number: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
    """Draws the examples of a batch: each is taken once before any is taken again.

    Args:
        examples: int32 scalar, the number of examples in the support set.
        size: int, examples of a batch.
        number: int32 scalar, of the batch, from 0.
        key: stateless key, `[2]`, the same for all batches of a task.

    Returns:
        The numbers of the examples, int32 `[size]`.
    """
    places = number * size + tf.range(size)
    rounds = places // examples
    orders = permutations(examples, key, rounds[0], rounds[-1] - rounds[0] + 1)
    return tf.gather_nd(orders, tf.stack([rounds - rounds[0], places % examples], axis=1))
