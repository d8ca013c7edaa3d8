"""The inner loop: gradient descent on named tensors that can itself be differentiated."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfmgaug.custom_gradient import custom_gradient
from tfmgaug.engine.inner_optimizers import SGD, InnerOptimizer
from tfmgaug.engine.params import Params


def descend(
    loss: Callable[..., tf.Tensor],
    params: Params,
    learning_rates: dict,
    steps: int | tf.Tensor,
    *,
    first_order: bool = False,
    recompute: bool = False,
    captured: dict | None = None,
    on_gradients: Callable[[Params, tf.Tensor], Params] | None = None,
    optimizer: InnerOptimizer | None = None,
    slots: Params | None = None,
) -> tuple[Params, Params]:
    """Takes gradient steps and keeps them differentiable.

    `w <- w - learning_rate_w * dL/dw` for each weight w, `steps` times, or what another optimizer
    makes of the gradients. Nothing is assigned: tensors go in and tensors come out, and gradients
    of any order flow through.

    Args:
        loss: function of the parameters, the number of the step (int32 scalar) and `captured`, to a
            scalar.
        params: the parameters that adapt, by name.
        learning_rates: by the same names: numbers, scalars or tensors shaped like the parameter.
        steps: integer or integer scalar tensor, the number of steps.
        first_order: True holds the gradients of each step constant (FOMAML).
        recompute: True runs each step again when it is differentiated, instead of keeping what the
            step computed: the same gradients from less memory.
        captured: nested tensors that the loss depends on beside the parameters and that are
            differentiated too: a step that runs again takes what it finds elsewhere for constant.
        on_gradients: function of the gradients and the number of the step to what is descended by;
            None: the gradients as they are.
        optimizer: `tfmgaug.engine.inner_optimizers.InnerOptimizer`; None: `SGD()`.
        slots: tensors by name, from the optimizer's `start` or from an earlier call.

    Returns:
        The parameters and the slots after the last step.

    Raises:
        ValueError: a parameter has no influence on the loss.

    Example:
        >>> loss = lambda params, step, captured: tf.reduce_sum(params["w"] ** 2)
        >>> descend(loss, {"w": tf.ones(2)}, {"w": 0.25}, steps=1)[0]["w"].numpy()
        array([0.5, 0.5], dtype=float32)

    Reference:
        Finn, Abbeel, Levine, 2017, https://arxiv.org/abs/1703.03400, Eq. 1.
    """
    optimizer = SGD() if optimizer is None else optimizer
    captured, slots = captured or {}, slots or {}

    def update(params, slots, step, learning_rates, captured):
        with tf.GradientTape() as tape:
            tape.watch(params)
            value = loss(params, step, captured)
        gradients = connected(tape.gradient(value, params))
        if on_gradients is not None:
            gradients = on_gradients(gradients, step)
        if first_order:
            gradients = tf.nest.map_structure(tf.stop_gradient, gradients)
        return optimizer.update(params, gradients, learning_rates, slots)

    take_step = recomputed(update) if recompute else update

    def advance(step, params, slots):
        return step + 1, *take_step(params, slots, step, learning_rates, captured)

    # A while loop is traced once however many steps there are, and their number may be a tensor.
    _, params, slots = tf.while_loop(
        lambda step, *_: step < steps,
        advance,
        (tf.constant(0), dict(params), dict(slots)),
        parallel_iterations=1,
    )
    return params, slots


def recomputed(function: Callable) -> Callable:
    """Wraps a function so that its gradient runs it again, and keeps nothing but its arguments.

    Args:
        function: from nested tensors to nested tensors. What it captures is held constant.

    Returns:
        The wrapped function.
    """

    def wrapped(*arguments):
        structures = []

        def flat_outputs(*flat):
            outputs = function(*tf.nest.pack_sequence_as(arguments, flat))
            structures.append(outputs)
            return tf.nest.flatten(outputs)

        @custom_gradient
        def run(*flat):
            def gradient(*upstream):
                # A tensor that is given twice must be told apart, or gets its gradient twice.
                again = [tf.identity(tensor) for tensor in flat]
                # An integer, such as the number of the step, has no gradient and can't be watched.
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch([tensor for tensor in again if tensor.dtype.is_floating])
                    outputs = flat_outputs(*again)
                return [dense(gradient) for gradient in tape.gradient(outputs, again, upstream)]

            return flat_outputs(*flat), gradient

        flat = run(*map(tf.convert_to_tensor, tf.nest.flatten(arguments)))
        return tf.nest.pack_sequence_as(structures[0], flat)

    return wrapped


def dense(gradient: Any) -> tf.Tensor | None:
    """Makes a gradient a tensor: that of an embedding is of a few rows. None stays None."""
    return None if gradient is None else tf.convert_to_tensor(gradient)


def connected(gradients: dict) -> Params:
    """Refuses gradients that are None, which other libraries skip in silence.

    Args:
        gradients: tensors or None, by the names of the weights.

    Returns:
        The gradients, dense.

    Raises:
        ValueError: some are None.
    """
    missing = [name for name, gradient in gradients.items() if gradient is None]
    if missing:
        raise ValueError(
            "Expected every weight to influence the loss. "
            f"Received weights without a gradient: {', '.join(missing)}."
        )
    return {name: dense(gradient) for name, gradient in gradients.items()}
