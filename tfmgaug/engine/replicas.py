"""Reductions over the replicas that share the tasks of a batch."""

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
    of_all = couple(context.all_gather(summaries, axis=0))
    number = tf.shape(summaries)[0]
    return tf.stop_gradient(of_all[context.replica_id_in_sync_group * number :][:number])


def mean(tensors):
    """Averages tensors over replicas.

    Args:
        tensors: nested tensors, of the same structure and shapes on each replica.

    Returns:
        Nested tensors of the same structure.
    """
    flat = tf.nest.flatten(tensors)
    if not flat or tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return tensors
    flat = tf.distribute.get_replica_context().all_reduce("mean", flat)
    return tf.nest.pack_sequence_as(tensors, flat)


def apply(optimizer, gradients, variables):
    """Takes a step of an optimizer, with the mean of the replicas' gradients.

    Args:
        optimizer: Keras optimizer.
        gradients: tensors by name, of this replica.
        variables: Keras variables by the same names.
    """
    gradients = [gradients[name] for name in variables]
    variables = list(variables.values())
    if tf.distribute.has_strategy():
        # The optimizer adds up the replicas' gradients, of which each is a mean.
        number = tf.distribute.get_strategy().num_replicas_in_sync
        optimizer.apply([gradient / number for gradient in gradients], variables)
        return
    # Outside of replicas there is nothing to add up, which in a graph would keep that graph alive:
    # TensorFlow holds on to the gradient of each sum over replicas, and to all that it reads.
    context = tf.distribute.get_replica_context()
    context.merge_call(lambda _: optimizer.apply(gradients, variables))


def total(number):
    """Returns how many there are on all replicas, of `number` each; None where that is unknown."""
    return number and number * tf.distribute.get_strategy().num_replicas_in_sync
