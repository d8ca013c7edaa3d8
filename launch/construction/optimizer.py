"""The optimizer of the outer loop."""

import keras

from launch.optimizer_flags import read_steps
from tfmgaug.optimizers import L2SGD


def build_optimizer(settings):
    """Builds the optimizer of the outer loop.

    Args:
        settings: absl flags.

    Returns:
        A Keras optimizer.
    """
    rate = _learning_rate(settings)
    if settings.optimizer == "sgd":
        return _sgd(settings, rate)
    return keras.optimizers.Adam(rate, clipvalue=settings.clip_gradients)


def _sgd(settings, rate):
    options = {
        "momentum": settings.momentum or 0.0,
        "nesterov": bool(settings.nesterov),
        "clipvalue": settings.clip_gradients,
    }
    if settings.weight_decay:
        return L2SGD(rate, l2=settings.weight_decay, **options)
    return keras.optimizers.SGD(rate, **options)


def _learning_rate(settings):
    rate, steps = settings.learning_rate, settings.epochs * settings.steps_per_epoch
    if settings.schedule == "cosine":
        return _cosine(rate, steps, settings.warmup_steps)
    if settings.schedule == "linear":
        return keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0)
    if settings.schedule == "steps":
        return _steps(settings)
    return rate


def _cosine(rate, steps, warmup):
    if warmup is None:
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    # The n-th step of the warm-up has the share n / (warmup + 1) of the rate: none has no rate.
    return keras.optimizers.schedules.CosineDecay(
        rate / (warmup + 1), steps - warmup, warmup_target=rate, warmup_steps=warmup
    )


def _steps(settings):
    epochs, factors = read_steps(settings)
    # Keras takes the value before a boundary at the boundary too; steps are counted from 0.
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [(epoch - 1) * settings.steps_per_epoch - 1 for epoch in epochs],
        [settings.learning_rate * factor for factor in (1.0, *factors)],
    )
