"""From flags to a compiled learner."""

import keras

from launch import landscape_flags, meta_ticket_flags, pruning_flags, reptile_flags
from launch.optimization import build_optimizer
from launch.settings import BACKBONE_FLAGS, LEARNERS, MASKS, REGULARIZERS, filters
from tfmgaug import MGAug, backbones
from tfmgaug.augmentation.mgaug import check_resolutions

_RESNETS = {"resnet10": backbones.resnet10, "resnet18": backbones.resnet18}


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
        "regularizers": _regularizers(settings),
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
    if settings.learner not in ("protonet", "reptile"):
        options["learn_inner_rates"] = settings.learn_inner_rates
        options["recompute_inner_steps"] = settings.recompute_inner_steps
    if settings.learner == "fine_tuning":
        for name in ("augmentation", "regularizers", "learn_inner_rates", "recompute_inner_steps"):
            del options[name]
    for family in (meta_ticket_flags, reptile_flags, pruning_flags):
        options |= family.learner_options(settings)
    options |= landscape_flags.learner_options(settings, tasks.train)
    learner = LEARNERS[settings.learner](_backbone(settings, tasks), **options)
    if getattr(tasks.train, "resolutions", None):
        check_resolutions(learner.backbone, tasks.train.resolutions)
    learner.compile(optimizer=build_optimizer(settings))
    return learner


def _check(settings, tasks):
    if tasks.regression and settings.learner in ("fine_tuning", "protonet"):
        kind = LEARNERS[settings.learner].__name__
        raise ValueError(
            f"{kind} classifies. Received: --data=sinusoids --learner={settings.learner}."
        )
    if settings.learner != "protonet" and settings.train_way not in (None, settings.way):
        raise ValueError(
            "Only ProtoNet can train with another number of ways than it is tested with. "
            f"Received: --train_way={settings.train_way} --way={settings.way}."
        )
    if settings.learner == "protonet" and settings.gradient_norms_every:
        raise ValueError(
            "ProtoNet has no inner loop whose gradients could be measured. "
            f"Received: --gradient_norms_every={settings.gradient_norms_every}."
        )
    if tasks.regression and settings.backbone != "mlp":
        raise ValueError(
            f"Sinusoids are no images: use --backbone=mlp. Received: {settings.backbone}."
        )
    _check_backbone_flags(settings)
    landscape_flags.check_backbone(settings)


def _check_backbone_flags(settings):
    for backbone, names in BACKBONE_FLAGS.items():
        given = [f"--{name}" for name in names if getattr(settings, name) is not None]
        if given and settings.backbone != backbone:
            raise ValueError(
                f"Only --backbone={backbone} has {' and '.join(given)}. "
                f"Received: --backbone={settings.backbone}."
            )
    if settings.block_filters and filters(settings) != int(settings.block_filters[0]):
        raise ValueError(
            "--filters is the first of --block_filters, where there are some. Received: "
            f"--filters={settings.filters} --block_filters={','.join(settings.block_filters)}."
        )


def _backbone(settings, tasks):
    outputs = None if settings.learner == "protonet" else 1 if tasks.regression else settings.way
    common = {
        "mean": tasks.mean,
        "standard_deviation": tasks.standard_deviation,
        "seed": settings.seed,
    }
    if settings.backbone == "conv4":
        return backbones.conv4(
            outputs,
            tasks.example_shape,
            filters(settings),
            fused=settings.fused,
            pooling="strided" if settings.strided else "max",
            **common,
        )
    if settings.backbone in _RESNETS:
        doubling = tuple(filters(settings) * 2**group for group in range(4))
        return _RESNETS[settings.backbone](outputs, tasks.example_shape, filters=doubling, **common)
    if settings.backbone == "resnet12":
        widths = _resnet12_filters(settings)
        return backbones.resnet12(outputs, tasks.example_shape, widths, **common)
    names = BACKBONE_FLAGS.get(settings.backbone, ())
    own = {name: getattr(settings, name) for name in names if getattr(settings, name) is not None}
    if settings.backbone == "wide_resnet":
        return backbones.wide_resnet(
            outputs, tasks.example_shape, filters=filters(settings), **own, **common
        )
    return backbones.mlp(
        outputs,
        tasks.example_shape,
        hidden=settings.hidden,
        # Batch statistics would carry a sinusoid's inputs from one point to another.
        normalization=not tasks.regression,
        **own,
        **common,
    )


def _resnet12_filters(settings):
    if settings.block_filters:
        return [int(channels) for channels in settings.block_filters]
    first = filters(settings)
    return (first, 5 * first // 2, 5 * first, 10 * first)


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


def _regularizers(settings):
    names = settings.regularizers
    unknown = [name for name in names if name not in REGULARIZERS]
    if unknown:
        raise ValueError(
            f"--regularizers must be of {', '.join(REGULARIZERS)}. Received: {', '.join(unknown)}."
        )
    _check_regularizer_flags(settings, names)

    def build(kind, arguments):
        given = {argument: getattr(settings, flag) for argument, flag in arguments.items()}
        given = {argument: value for argument, value in given.items() if value is not None}
        return kind(**given, subnetworks=settings.regularize_subnetworks)

    return [build(*REGULARIZERS[name]) for name in names]


def _check_regularizer_flags(settings, names):
    flags = {name: set(arguments.values()) for name, (_, arguments) in REGULARIZERS.items()}
    idle = set().union(*flags.values()) - set().union(*(flags[name] for name in names))
    given = [f"--{flag}" for flag in sorted(idle) if getattr(settings, flag) is not None]
    if settings.regularize_subnetworks and not names:
        given.append("--regularize_subnetworks")
    if given:
        raise ValueError(
            "These flags belong to regularizers that --regularizers does not name. "
            f"Received: {', '.join(given)} with --regularizers={','.join(names)}."
        )
