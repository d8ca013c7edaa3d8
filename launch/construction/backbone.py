"""The network that flags describe."""

from launch.construction import cavia
from launch.given_flags import given
from launch.learner_flags import BACKBONE_FLAGS, EMBEDDING, filters, resnet12_filters
from tfmgaug import backbones

_RESNETS = {"resnet10": backbones.resnet10, "resnet18": backbones.resnet18}


def build_backbone(settings, tasks):
    """Builds the network that the flags describe.

    Args:
        settings: absl flags.
        tasks: `launch.tasks.Tasks`.

    Returns:
        A `keras.Model`.

    Raises:
        ValueError: the examples don't fit it.
    """
    outputs = 1 if tasks.regression else settings.way
    outputs = None if settings.learner in EMBEDDING else outputs
    context = cavia.backbone_options(settings)
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
    options = given(settings, names)
    if settings.backbone == "wide_resnet":
        return backbones.wide_resnet(
            outputs, tasks.example_shape, filters=filters(settings), **options, **common
        )
    return backbones.mlp(
        outputs,
        tasks.example_shape,
        hidden=settings.hidden,
        # Batch statistics would carry a sinusoid's inputs from one point to another, and cancel a
        # context.
        normalization=not (tasks.regression or context),
        **options,
        **context,
        **common,
    )
