"""What couples the tasks of a batch, where replicas share them out."""

import tensorflow as tf


def coupled(couple, summaries):
    """Applies a function of all tasks, and returns what concerns this replica's own.

    Args:
        couple: function from float32 `[all tasks]` to float32 `[all tasks]`.
        summaries: float32 `[tasks]` of this replica.

    Returns:
        A float32 tensor `[tasks]`, held constant.
    """
    context = tf.distribute.get_replica_context()
    if context.num_replicas_in_sync == 1:
        return tf.stop_gradient(couple(summaries))
    everyone = couple(context.all_gather(summaries, axis=0))
    own = tf.shape(summaries)[0]
    return tf.stop_gradient(everyone[context.replica_id_in_sync_group * own :][:own])


def mean(tensors):
    """Averages tensors over replicas.

    Args:
        tensors: nested tensors, of the same structure and shapes on each replica.

    Returns:
        Nested tensors of the same structure.
    """
    flat = tf.nest.flatten(tensors)
    if flat:
        flat = tf.distribute.get_replica_context().all_reduce("mean", flat)
    return tf.nest.pack_sequence_as(tensors, flat)


def total(number):
    """Returns how many there are on all replicas, of `number` each; None where that is unknown."""
    return number and number * tf.distribute.get_strategy().num_replicas_in_sync
