"""Random draws that depend on nothing but a seed and what they are for."""

import zlib

import tensorflow as tf


def key(seed):
    """Starts a chain of stateless keys from an integer seed.

    Args:
        seed: integer.

    Returns:
        An int32 tensor of shape `[2]`, fit for every `tf.random.stateless_*` function.
    """
    return tf.constant([seed & 0x7FFFFFFF, 0x6D67], tf.int32)


def fold(parent, *purposes):
    """Derives an independent key for each chain of purposes.

    Args:
        parent: key, `[2]`.
        *purposes: names, integers or integer tensors: the step, the episode, what is drawn.

    Returns:
        An int32 tensor of shape `[2]`.

    Example:
        >>> mask_key = fold(key(seed), step, episode.index, "mask", subnetwork)
    """
    for purpose in purposes:
        # Python's own hash of a string is salted per process.
        number = zlib.crc32(purpose.encode()) >> 1 if isinstance(purpose, str) else purpose
        parent = tf.random.experimental.stateless_fold_in(parent, tf.cast(number, tf.int32))
    return parent
