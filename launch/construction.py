"""From flags to a compiled learner."""

import keras

from launch import (
    cavia_flags,
    landscape_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    pruning_flags,
    regularizer_flags,
    reptile_flags,
)
from launch.given_flags import given
from launch.optimization import build_optimizer
from launch.settings import (
    BACKBONE_FLAGS,
    LEARNERS,
    MASKS,
    filters,
    resnet12_filters,
)
from tfmgaug import MGAug, backbones
from tfmgaug.augmentation.mgaug import check_resolutions

# They read out embeddings in closed form: nothing adapts, and any number of ways will do.
_EMBEDDING = ("metaoptnet", "protonet")
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
        "regularizers": regularizer_flags.build(settings),
        "statistics": settings.statistics,
        "parallel_tasks": settings.parallel_tasks,
        "seed": settings.seed,
    }
    if tasks.regression:
        options["loss"] = "mean_squared_error"
    if settings.learner == "protonet":
        options["distance"] = settings.distance
    if settings.learner not in _EMBEDDING:
        options["inner_steps"] = settings.inner_steps
        options["inner_learning_rate"] = settings.inner_learning_rate
    if settings.learner not in (*_EMBEDDING, "reptile"):
        options["learn_inner_rates"] = settings.learn_inner_rates
        options["recompute_inner_steps"] = settings.recompute_inner_steps
    if settings.learner == "fine_tuning":
        for name in ("augmentation", "regularizers", "learn_inner_rates", "recompute_inner_steps"):
            del options[name]
    for family in (meta_ticket_flags, cavia_flags, metaoptnet_flags, reptile_flags, pruning_flags):
        options |= family.learner_options(settings)
    options |= landscape_flags.learner_options(settings, tasks.train)
    learner = LEARNERS[settings.learner](_backbone(settings, tasks), **options)
    if getattr(tasks.train, "resolutions", None):
        check_resolutions(learner.backbone, tasks.train.resolutions)
    learner.compile(optimizer=build_optimizer(settings))
    return learner


def _check(settings, tasks):
    if tasks.regression and settings.learner in ("fine_tuning", *_EMBEDDING):
        raise ValueError(
            "ProtoNet, MetaOptNet and the fine-tuning baseline classify. "
            f"Received: --data=sinusoids --learner={settings.learner}."
        )
    if settings.learner not in _EMBEDDING and settings.train_way not in (None, settings.way):
        raise ValueError(
            "Only ProtoNet and MetaOptNet can train with another number of ways than they are "
            f"tested with. Received: --train_way={settings.train_way} --way={settings.way}."
        )
    if settings.learner in _EMBEDDING and settings.gradient_norms_every:
        raise ValueError(
            "ProtoNet and MetaOptNet have no inner loop whose gradients could be measured. "
            f"Received: --gradient_norms_every={settings.gradient_norms_every}."
        )
    if settings.learner in _EMBEDDING and settings.test_inner_steps is not None:
        raise ValueError(
            f"{LEARNERS[settings.learner].__name__} takes no inner steps. Received: "
            f"--learner={settings.learner} --test_inner_steps={settings.test_inner_steps}."
        )
    if tasks.regression and settings.backbone != "mlp":
        raise ValueError(
            f"Sinusoids are no images: use --backbone=mlp. Received: {settings.backbone}."
        )
    _check_backbone_flags(settings)
    landscape_flags.check_backbone(settings)


def _check_backbone_flags(settings):
    for backbone, names in BACKBONE_FLAGS.items():
        found = [f"--{name}" for name in given(settings, names)]
        if found and settings.backbone != backbone:
            raise ValueError(
                f"Only --backbone={backbone} has {' and '.join(found)}. "
                f"Received: --backbone={settings.backbone}."
            )
    if settings.block_filters and filters(settings) != int(settings.block_filters[0]):
        raise ValueError(
            "--filters is the first of --block_filters, where there are some. Received: "
            f"--filters={settings.filters} --block_filters={','.join(settings.block_filters)}."
        )


def _backbone(settings, tasks):
    outputs = 1 if tasks.regression else settings.way
    outputs = None if settings.learner in _EMBEDDING else outputs
    context = cavia_flags.backbone_options(settings)
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
            **context,
            **common,
        )
    if settings.backbone in _RESNETS:
        doubling = tuple(filters(settings) * 2**group for group in range(4))
        return _RESNETS[settings.backbone](outputs, tasks.example_shape, filters=doubling, **common)
    if settings.backbone == "resnet12":
        pooling = settings.global_pooling
        return backbones.resnet12(
            outputs,
            tasks.example_shape,
            resnet12_filters(settings),
            # Lee et al. keep all positions apart.
            global_pooling=settings.learner != "metaoptnet" if pooling is None else pooling,
            **common,
        )
    names = BACKBONE_FLAGS.get(settings.backbone, ())
    own = given(settings, names)
    if settings.backbone == "wide_resnet":
        return backbones.wide_resnet(
            outputs, tasks.example_shape, filters=filters(settings), **own, **common
        )
    return backbones.mlp(
        outputs,
        tasks.example_shape,
        hidden=settings.hidden,
        # Batch statistics would carry a sinusoid's inputs from one point to another, and cancel a
        # context.
        normalization=not (tasks.regression or context),
        **own,
        **context,
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
