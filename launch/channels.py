"""The numbers of channels that --filters stands for in each backbone."""

from launch.signatures import read


def constructors(backbone):
    """Returns the `filters` of a backbone's constructor by default: an int or a tuple.

    Args:
        backbone: name of a function of `tfmgaug.backbones`.
    """
    return read(f"tfmgaug.backbones.{backbone}").arguments["filters"].default


def doubling(backbone, filters):
    """Returns the channels of a ResNet's groups, each of which has twice those of the last.

    Args:
        backbone: "resnet10" or "resnet18".
        filters: int, of the first group; None: the constructor's.
    """
    first = filters or constructors(backbone)[0]
    return tuple(first * 2**group for group in range(4))


def of_resnet12(filters, block_filters):
    """Returns the channels of ResNet-12's blocks.

    Args:
        filters: int, of the first block; None: the constructor's.
        block_filters: numbers, of all blocks; None: by `filters`.
    """
    if block_filters:
        return tuple(int(channels) for channels in block_filters)
    first = filters or constructors("resnet12")[0]
    return first, 5 * first // 2, 5 * first, 10 * first


def recorded(values):
    """Returns the number that a run records as its `filters`.

    Args:
        values: dictionary of flags.

    Returns:
        An int, of each Conv-4 block, of a ResNet's first group or of a wide ResNet's stem; None of
        an MLP.
    """
    if values["filters"] is not None:
        return values["filters"]
    if values.get("block_filters"):
        return int(values["block_filters"][0])
    if values["backbone"] in (None, "mlp"):
        return None
    channels = constructors(values["backbone"])
    return channels if isinstance(channels, int) else channels[0]
