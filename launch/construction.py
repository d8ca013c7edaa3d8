"""From flags to a compiled learner."""

import keras

from launch.settings import LEARNERS, MASKS
from tfmgaug import MGAug, backbones


def set_precision(policy):
    """Sets the Keras dtype policy of all layers built from now on."""
    keras.config.set_dtype_policy(policy)


def build_learner(settings, tasks):
    """Builds and compiles the learner that the flags describe.

    Args:
        settings: absl flags, as `launch.settings.define` defines them.
        tasks: `launch.tasks.Tasks`.

    Returns:
        A compiled `MetaLearner`.

    Raises:
        ValueError: flags do not fit together.
    """
    _check(settings, tasks)
    options = {
        "augmentation": _augmentation(settings),
        "statistics": settings.statistics,
        "parallel_tasks": settings.parallel_tasks,
        "seed": settings.seed,
    }
    if tasks.regression:
        options["loss"] = "mean_squared_error"
    if settings.learner == "protonet":
        options["distance"] = settings.distance
    else:
        options["inner_steps"] = settings.inner_steps
        options["inner_learning_rate"] = settings.inner_learning_rate
        options["learn_inner_rates"] = settings.learn_inner_rates
        options["recompute_inner_steps"] = settings.recompute_inner_steps
    learner = LEARNERS[settings.learner](_backbone(settings, tasks), **options)
    learner.compile(optimizer=keras.optimizers.Adam(_learning_rate(settings)))
    return learner


def _check(settings, tasks):
    if tasks.regression and settings.learner == "protonet":
        raise ValueError("ProtoNet classifies. Received: --data=sinusoids --learner=protonet.")
    if settings.learner != "protonet" and settings.train_way not in (None, settings.way):
        raise ValueError(
            "Only ProtoNet can train with another number of ways than it is tested with. "
            f"Received: --train_way={settings.train_way} --way={settings.way}."
        )
    if tasks.regression and settings.backbone == "conv4":
        raise ValueError("Sinusoids are no images: use --backbone=mlp. Received: conv4.")


def _backbone(settings, tasks):
    outputs = None if settings.learner == "protonet" else 1 if tasks.regression else settings.way
    common = {
        "mean": tasks.mean,
        "standard_deviation": tasks.standard_deviation,
        "seed": settings.seed,
    }
    if settings.backbone == "conv4":
        return backbones.conv4(
            outputs, tasks.example_shape, settings.filters, fused=settings.fused, **common
        )
    return backbones.mlp(
        outputs,
        tasks.example_shape,
        hidden=settings.hidden,
        # Batch statistics would carry a sinusoid's inputs from one point to another.
        normalization=not tasks.regression,
        **common,
    )


def _augmentation(settings):
    if settings.mask == "none":
        return None
    options = {}
    if settings.mask_rates is not None:
        rates = [float(rate) for rate in settings.mask_rates]
        options["rates"] = rates[0] if len(rates) == 1 else rates
    elif settings.mask == "catfish" and settings.learner == "protonet":
        options["rates"] = (0.01, 0.03)  # the authors' rates for ProtoNet
    if settings.mask == "catfish":
        options["score"] = settings.catfish_score
    return MGAug(
        MASKS[settings.mask](**options),
        subnetworks=settings.subnetworks,
        start_step=settings.mgaug_from_epoch * settings.steps_per_epoch,
        resolutions=settings.resolutions and [int(size) for size in settings.resolutions],
    )


def _learning_rate(settings):
    if settings.schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * settings.steps_per_epoch
    return keras.optimizers.schedules.CosineDecay(settings.learning_rate, decay_steps=steps)
