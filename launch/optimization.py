"""The flags of the outer optimizer, and the optimizer that they describe."""

import keras
from absl import flags

from launch.given_flags import given, refuse
from tfmgaug.optimizers import L2SGD

_SCHEDULES = ("constant", "cosine", "linear", "steps")
_OF_SGD = ("momentum", "nesterov", "weight_decay")
_OF_STEPS = ("schedule_epochs", "schedule_factors")


def define():
    """Defines the flags."""
    flags.DEFINE_enum("optimizer", "adam", ["adam", "sgd"], "Of the outer loop.")
    flags.DEFINE_float("learning_rate", 2e-3, "The optimizer's.", lower_bound=0)
    flags.DEFINE_float("momentum", None, "Of sgd; 0 by default.", lower_bound=0)
    flags.DEFINE_boolean("nesterov", None, "Whether momentum is Nesterov's; no by default.")
    flags.DEFINE_float(
        "weight_decay",
        None,
        "Of sgd: the L2 penalty's gradient, this times the weight, is added to the gradient of "
        "everything learned; 0 by default.",
        lower_bound=0,
    )
    flags.DEFINE_float(
        "clip_gradients",
        None,
        "Clip entries of the meta-gradient to plus and minus this; no by default.",
    )
    flags.DEFINE_enum(
        "schedule",
        "constant",
        _SCHEDULES,
        "Of the learning rate: to 0 by cosine or linear, or in steps.",
    )
    flags.DEFINE_list(
        "schedule_epochs",
        None,
        "Of steps: epochs, counted from 1, from whose start on the learning rate is another.",
    )
    flags.DEFINE_list(
        "schedule_factors", None, "Of steps: what it then is, each as a share of --learning_rate."
    )
    flags.DEFINE_integer(
        "warmup_steps",
        None,
        "Outer steps in which the learning rate rises, before it falls by cosine.",
        lower_bound=1,
    )


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
        return _sgd(settings, rate)
    refuse(given(settings, _OF_SGD), "--optimizer=sgd", f"--optimizer={settings.optimizer}")
    return keras.optimizers.Adam(rate, clipvalue=settings.clip_gradients)


def _sgd(settings, rate):
    if settings.nesterov and not settings.momentum:
        raise ValueError(
            "--nesterov is a way to use --momentum. "
            f"Received: --nesterov with --momentum={settings.momentum}."
        )
    options = {
        "momentum": settings.momentum or 0.0,
        "nesterov": bool(settings.nesterov),
        "clipvalue": settings.clip_gradients,
    }
    if settings.weight_decay:
        return L2SGD(rate, l2=settings.weight_decay, **options)
    return keras.optimizers.SGD(rate, **options)


def _learning_rate(settings):
    _refuse_idle(settings)
    rate, steps = settings.learning_rate, settings.epochs * settings.steps_per_epoch
    if settings.schedule == "cosine":
        return _cosine(rate, steps, settings.warmup_steps)
    if settings.schedule == "linear":
        return keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0)
    if settings.schedule == "steps":
        return _steps(settings)
    return rate


def _refuse_idle(settings):
    if settings.warmup_steps is not None and settings.schedule != "cosine":
        raise ValueError(
            "--warmup_steps come before --schedule=cosine. Received: "
            f"--warmup_steps={settings.warmup_steps} --schedule={settings.schedule}."
        )
    if settings.schedule != "steps":
        refuse(given(settings, _OF_STEPS), "--schedule=steps", f"--schedule={settings.schedule}")


def _cosine(rate, steps, warmup):
    if warmup is None:
        return keras.optimizers.schedules.CosineDecay(rate, steps)
    if warmup >= steps:
        raise ValueError(
            "--warmup_steps must leave steps to decay in. "
            f"Received: --warmup_steps={warmup} of {steps} outer steps."
        )
    # The n-th step of the warm-up has the share n / (warmup + 1) of the rate: none has no rate.
    return keras.optimizers.schedules.CosineDecay(
        rate / (warmup + 1), steps - warmup, warmup_target=rate, warmup_steps=warmup
    )


def _steps(settings):
    texts = [getattr(settings, name) or [] for name in _OF_STEPS]
    try:
        epochs, factors = [int(text) for text in texts[0]], [float(text) for text in texts[1]]
        fits = 0 < len(epochs) == len(factors) and min(factors) >= 0
        # From the second epoch on, rising, and before training ends.
        fits = fits and epochs[0] > 1 and epochs[-1] <= settings.epochs
        fits = fits and epochs == sorted(set(epochs))
    except ValueError:
        fits = False
    if not fits:
        received = " ".join(f"--{name}={','.join(own)}" for name, own in zip(_OF_STEPS, texts))
        raise ValueError(
            "--schedule=steps needs --schedule_epochs, rising from 2 to --epochs, and as many "
            f"--schedule_factors of at least 0. Received: {received} --epochs={settings.epochs}."
        )
    # Keras takes the value before a boundary at the boundary too; steps are counted from 0.
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [(epoch - 1) * settings.steps_per_epoch - 1 for epoch in epochs],
        [settings.learning_rate * factor for factor in (1.0, *factors)],
    )
