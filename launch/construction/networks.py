"""Builders of backbones whose flags take one width where constructors take several."""

from launch.channels import doubling, of_resnet12
from tfmgaug import backbones


def mlp(way, input_shape, **options):
    """Builds an MLP, without normalization where it takes a context or no images.

    Batch statistics would carry a sinusoid's inputs from one point to another, and cancel what is
    the same in all examples.

    Args:
        way: int, number of outputs; None leaves the head away.
        input_shape: shape of one input.
        **options: of `tfmgaug.backbones.mlp`.

    Returns:
        A `keras.Model`.
    """
    normalization = len(input_shape) > 1 and options["context"] is None
    return backbones.mlp(way, input_shape, normalization=normalization, **options)


def resnet10(way, image_shape, *, filters: int | None = None, **options):
    """Builds ResNet-10.

    Args:
        way: int, number of outputs; None leaves the head away.
        image_shape: (height, width, channels).
        filters: int >= 1, channels of a ResNet's first group, which every further group doubles.
        **options: of `tfmgaug.backbones.resnet10`.

    Returns:
        A `keras.Model`.
    """
    return backbones.resnet10(way, image_shape, filters=doubling("resnet10", filters), **options)


def resnet18(way, image_shape, *, filters: int | None = None, **options):
    """Builds ResNet-18.

    Args:
        way: int, number of outputs; None leaves the head away.
        image_shape: (height, width, channels).
        filters: int >= 1, channels of a ResNet's first group, which every further group doubles.
        **options: of `tfmgaug.backbones.resnet18`.

    Returns:
        A `keras.Model`.
    """
    return backbones.resnet18(way, image_shape, filters=doubling("resnet18", filters), **options)


def resnet12(
    way,
    image_shape,
    *,
    filters: int | None = None,
    block_filters: list[int] | None = None,
    **options,
):
    """Builds ResNet-12.

    Args:
        way: int, number of outputs; None leaves the head away.
        image_shape: (height, width, channels).
        filters: int >= 1, channels of the first block, which the next have 2.5, 5 and 10 times.
        block_filters: list of ints >= 1, channels of ResNet-12's blocks, if not by --filters:
            Meta-ticket's code has 64,128,256,512.
        **options: of `tfmgaug.backbones.resnet12`.

    Returns:
        A `keras.Model`.
    """
    channels = of_resnet12(filters, block_filters)
    return backbones.resnet12(way, image_shape, filters=channels, **options)
