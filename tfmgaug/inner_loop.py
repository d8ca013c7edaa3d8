"""The inner loop: gradient descent on a list of tensors that can itself be differentiated."""

import tensorflow as tf


def descend(loss, weights, learning_rates, steps, first_order=False):
    """Takes gradient steps and keeps them differentiable.

    `w_i <- w_i - learning_rate_i * dL/dw_i`, `steps` times. Nothing is assigned: tensors go in and
    tensors come out, and gradients of any order flow through.

    Args:
        loss: function from a list of weights to a scalar.
        weights: list of tensors.
        learning_rates: list of the same length: numbers, scalars or tensors shaped like the weight.
        steps: integer or integer scalar tensor, the number of steps.
        first_order: True holds each step's gradient constant (FOMAML).

    Returns:
        The list of weights after the last step.

    Raises:
        ValueError: a weight has no influence on the loss.

    Example:
        >>> descend(lambda w: tf.reduce_sum(w[0] ** 2), [tf.ones(2)], [0.25], steps=1)
        [<tf.Tensor: shape=(2,), dtype=float32, numpy=array([0.5, 0.5], dtype=float32)>]

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Eq. 1.
    """

    def take_step(step, weights):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            value = loss(weights)
        gradients = connected(tape.gradient(value, weights), [w.shape for w in weights])
        if first_order:
            gradients = [tf.stop_gradient(gradient) for gradient in gradients]
        updated = [w - r * g for w, r, g in zip(weights, learning_rates, gradients)]
        return step + 1, updated

    start = (tf.constant(0), list(weights))
    # A while loop is traced once however many steps there are, and their number may be a tensor.
    return tf.while_loop(lambda step, _: step < steps, take_step, start, parallel_iterations=1)[1]


def connected(gradients, names):
    """Refuses gradients that are None, which other libraries skip in silence.

    Args:
        gradients: list of tensors or None.
        names: what to call each of them in the error.

    Returns:
        The gradients.

    Raises:
        ValueError: some are None.
    """
    missing = [str(name) for gradient, name in zip(gradients, names) if gradient is None]
    if missing:
        raise ValueError(
            "Expected every weight to influence the loss. "
            f"Received weights without a gradient: {', '.join(missing)}."
        )
    return gradients
