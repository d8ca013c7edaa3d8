"""The outer optimizer that the flags describe."""

import keras

_SCHEDULES = {
    "constant": lambda rate, steps: rate,
    "cosine": keras.optimizers.schedules.CosineDecay,
    "linear": lambda rate, steps: keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0),
}


def build_optimizer(settings):
    """Builds the optimizer of the outer loop.

    Args:
        settings: absl flags.

    Returns:
        A Keras optimizer.

    Raises:
        ValueError: flags do not fit together.
    """
    rate = _learning_rate(settings)
    if settings.optimizer == "sgd":
        return keras.optimizers.SGD(
            rate, momentum=settings.momentum or 0.0, clipvalue=settings.clip_gradients
        )
    if settings.momentum is not None:
        raise ValueError(
            "--momentum is of --optimizer=sgd. "
            f"Received: --momentum={settings.momentum} --optimizer={settings.optimizer}."
        )
    return keras.optimizers.Adam(rate, clipvalue=settings.clip_gradients)


def _learning_rate(settings):
    rate, warmup = settings.learning_rate, settings.warmup_steps
    steps = settings.epochs * settings.steps_per_epoch
    if warmup is None:
        return _SCHEDULES[settings.schedule](rate, steps)
    if settings.schedule != "cosine":
        raise ValueError(
            "--warmup_steps come before --schedule=cosine. "
            f"Received: --warmup_steps={warmup} --schedule={settings.schedule}."
        )
    if warmup >= steps:
        raise ValueError(
            "--warmup_steps must leave steps to decay in. "
            f"Received: --warmup_steps={warmup} of {steps} outer steps."
        )
    # The n-th step of the warm-up has the share n / (warmup + 1) of the rate: none has no rate.
    return keras.optimizers.schedules.CosineDecay(
        rate / (warmup + 1), steps - warmup, warmup_target=rate, warmup_steps=warmup
    )
