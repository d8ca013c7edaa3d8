"""Schedules of the outer learning rate."""

import keras


def cosine(rate, epochs, steps_per_epoch, warmup_steps: int | None = None):
    """Builds a rate that falls to 0 by cosine.

    Args:
        rate: float, learning rate at the start.
        epochs: int, of training.
        steps_per_epoch: int, outer steps in an epoch.
        warmup_steps: int >= 1, outer steps in which the learning rate rises, before it falls by
            cosine; None: none.

    Returns:
        A Keras schedule.
    """
    steps = epochs * steps_per_epoch
    if warmup_steps is None:
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    # The n-th step of the warm-up has the share n / (warmup + 1) of the rate: none has no rate.
    return keras.optimizers.schedules.CosineDecay(
        rate / (warmup_steps + 1),
        steps - warmup_steps,
        warmup_target=rate,
        warmup_steps=warmup_steps,
    )


def linear(rate, epochs, steps_per_epoch):
    """Builds a rate that falls to 0 linearly.

    Args:
        rate: float, learning rate at the start.
        epochs: int, of training.
        steps_per_epoch: int, outer steps in an epoch.

    Returns:
        A Keras schedule.
    """
    return keras.optimizers.schedules.PolynomialDecay(rate, epochs * steps_per_epoch, 0.0)


def steps(rate, epochs, steps_per_epoch, *, schedule_epochs: list[int], factors: list[float]):
    """Builds a rate that changes at the start of epochs.

    Args:
        rate: float, learning rate at the start.
        epochs: int, of training.
        steps_per_epoch: int, outer steps in an epoch.
        schedule_epochs: list of ints >= 2, epochs, counted from 1, at whose start the learning
            rate changes.
        factors: list of floats >= 0, learning rates from these epochs on, as shares of
            --learning_rate.

    Returns:
        A Keras schedule.
    """
    # Keras takes the value before a boundary at the boundary too; steps are counted from 0.
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [(epoch - 1) * steps_per_epoch - 1 for epoch in schedule_epochs],
        [rate * factor for factor in (1.0, *factors)],
    )
