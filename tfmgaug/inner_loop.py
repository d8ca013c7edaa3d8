"""The inner loop: gradient descent on a list of tensors that can itself be differentiated."""

import tensorflow as tf

from tfmgaug.custom_gradient import custom_gradient
from tfmgaug.inner_optimizers import SGD


def descend(
    loss,
    weights,
    learning_rates,
    steps,
    first_order=False,
    recompute=False,
    captured=(),
    on_gradients=None,
    optimizer=None,
    slots=(),
    names=None,
):
    """Takes gradient steps and keeps them differentiable.

    `w_i <- w_i - learning_rate_i * dL/dw_i`, `steps` times, or what another optimizer makes of the
    gradients. Nothing is assigned: tensors go in and tensors come out, and gradients of any order
    flow through.

    Args:
        loss: function of a list of weights, the number of the step (int32 scalar) and the tensors
            `captured`, to a scalar.
        weights: list of tensors.
        learning_rates: list of the same length: numbers, scalars or tensors shaped like the weight.
        steps: integer or integer scalar tensor, the number of steps.
        first_order: True holds each step's gradient constant (FOMAML).
        recompute: True runs each step again when it is differentiated, instead of keeping what the
            step computed: the same gradients from less memory.
        captured: tensors that the loss depends on beside the weights and that are differentiated
            too: a step that runs again takes what it finds elsewhere for constant.
        on_gradients: function of the list of gradients and the number of the step to the list that
            is descended by; None: as they are.
        optimizer: `tfmgaug.inner_optimizers.InnerOptimizer`; None: `SGD()`.
        slots: list of tensors, from the optimizer's `start` or from an earlier call.
        names: list of strings, what errors call the weights; None: their numbers.

    Returns:
        The lists of weights and of slots after the last step.

    Raises:
        ValueError: a weight has no influence on the loss.

    Example:
        >>> descend(lambda w, step: tf.reduce_sum(w[0] ** 2), [tf.ones(2)], [0.25], steps=1)
        ([<tf.Tensor: shape=(2,), dtype=float32, numpy=array([0.5, 0.5], dtype=float32)>], [])

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Eq. 1.
    """
    optimizer = SGD() if optimizer is None else optimizer

    def updated(weights, slots, step, learning_rates, captured):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(weights, step, *captured)
        gradients = connected(tape.gradient(value, weights), names)
        if on_gradients is not None:
            gradients = on_gradients(gradients, step)
        if first_order:
            gradients = [tf.stop_gradient(gradient) for gradient in gradients]
        weights, slots = optimizer.update(weights, gradients, learning_rates, slots)
        return weights + slots

    take_step = recomputed(updated) if recompute else updated

    def advance(step, weights, slots):
        found = take_step(weights, slots, step, learning_rates, captured)
        return step + 1, found[: len(weights)], found[len(weights) :]

    # A while loop is traced once however many steps there are, and their number may be a tensor.
    return tf.while_loop(
        lambda step, *_: step < steps,
        advance,
        (tf.constant(0), list(weights), list(slots)),
        parallel_iterations=1,
    )[1:]


def recomputed(function):
    """Wraps a function so that its gradient runs it again, and keeps nothing but its arguments.

    Args:
        function: from lists of tensors to a list of tensors. What it captures is held constant.

    Returns:
        The wrapped function.
    """

    def wrapped(*lists):
        @custom_gradient
        def run(*flat):
            def gradient(*upstream):
                # A tensor that is given twice must be told apart, or gets its gradient twice.
                again = [tf.identity(tensor) for tensor in flat]
                # An integer, such as the number of the step, has no gradient and can't be watched.
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch([tensor for tensor in again if tensor.dtype.is_floating])
                    outputs = function(*tf.nest.pack_sequence_as(lists, again))
                return [dense(gradient) for gradient in tape.gradient(outputs, again, upstream)]

            return function(*tf.nest.pack_sequence_as(lists, flat)), gradient

        return run(*tf.nest.map_structure(tf.convert_to_tensor, tf.nest.flatten(lists)))

    return wrapped


def dense(gradient):
    """Makes a gradient a tensor: that of an embedding is of a few rows. None stays None."""
    return None if gradient is None else tf.convert_to_tensor(gradient)


def connected(gradients, names=None):
    """Refuses gradients that are None, which other libraries skip in silence.

    Args:
        gradients: list of tensors or None.
        names: list of strings, what to call each of them in the error; None: their numbers.

    Returns:
        The gradients, dense.

    Raises:
        ValueError: some are None.
    """
    names = [f"number {n}" for n in range(len(gradients))] if names is None else names
    missing = [name for gradient, name in zip(gradients, names) if gradient is None]
    if missing:
        raise ValueError(
            "Expected every weight to influence the loss. "
            f"Received weights without a gradient: {', '.join(missing)}."
        )
    return [dense(gradient) for gradient in gradients]
