"""Reductions over the replicas that share the tasks of a batch."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def coupled(couple: Callable[[tf.Tensor], tf.Tensor], summaries: tf.Tensor) -> tf.Tensor:
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


def mean(tensors: Any) -> Any:
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


def apply(
    optimizer: keras.optimizers.Optimizer,
    gradients: dict[str, tf.Tensor],
    variables: dict[str, keras.Variable],
) -> None:
    """Takes a step of an optimizer, with the mean of the replicas' gradients.

    Args:
        optimizer: Keras optimizer.
        gradients: tensors by name, of this replica.
        variables: Keras variables by the same names.
    """
    ordered = [gradients[name] for name in variables]
    moved = list(variables.values())
    if tf.distribute.has_strategy():
        # The optimizer adds up the replicas' gradients, of which each is a mean.
        number = tf.distribute.get_strategy().num_replicas_in_sync
        optimizer.apply([gradient / number for gradient in ordered], moved)
        return
    # Outside of replicas there is nothing to add up, which in a graph would keep that graph alive:
    # TensorFlow holds on to the gradient of each sum over replicas, and to all that it reads.
    context = tf.distribute.get_replica_context()
    context.merge_call(lambda _: optimizer.apply(ordered, moved))


def total(number: int | None) -> int | None:
    """Returns how many there are on all replicas, of `number` each; None where that is unknown."""
    return number and number * tf.distribute.get_strategy().num_replicas_in_sync
