"""How many products and sums a network takes for one image."""

from launch.channels import of_resnet12

_SIDES = {"glyphs": 28, "omniglot": 28, "cifar_fs": 32, "fc100": 32}  # of images as they come
_GRAY = ("glyphs", "omniglot")


def operations(settings):
    """Counts products and sums of one image's forward pass, in convolutions and hidden layers.

    Args:
        settings: dictionary, the run's flags.

    Returns:
        An int.
    """
    side, channels = image(settings)
    layers = _LAYERS[settings["backbone"]](settings, side, channels)
    return sum(2 * side**2 * kernel**2 * a * b for side, kernel, a, b in layers)


def image(settings):
    """Returns the side and the channels of the images that a run sees; of a sinusoid 1 and 1."""
    if settings["data"] == "sinusoids":
        return 1, 1
    side = settings["image_size"] or _SIDES.get(settings["data"], 84)
    return side, 1 if settings["data"] in _GRAY else 3


# Layers are (side of the output, kernel, channels in, channels out).


def _conv4(settings, side, channels):
    filters, layers = settings["filters"], []
    for block in range(4):
        if settings.get("strided"):
            side = _halved(side)
        layers.append((side, 3, filters if block else channels, filters))
        if not settings.get("strided"):
            side //= 2
    return layers


def _mlp(settings, side, channels):
    factor = settings["width_factor"] or 1
    sizes = [side**2 * channels, *(round(factor * size) for size in settings["hidden"])]
    return [(1, 1, a, b) for a, b in zip(sizes, sizes[1:])]


def _resnet(blocks):
    def layers_of(settings, side, channels):
        side, filters = _halved(side), settings["filters"]
        layers = [(side, 7, channels, filters)]
        side, channels = _halved(side), filters
        for group in range(4):
            width = filters << group
            side = _halved(side) if group else side
            for _ in range(blocks):
                layers += [(side, 3, channels, width), (side, 3, width, width)]
                if channels != width:
                    layers.append((side, 1, channels, width))
                channels = width
        return layers

    return layers_of


def _resnet12(settings, side, channels):
    layers = []
    for width in of_resnet12(settings["filters"], settings["block_filters"]):
        layers += [(side, 3, channels, width), *[(side, 3, width, width)] * 2]
        layers.append((side, 1, channels, width))
        side, channels = side // 2, width
    return layers


def _wide_resnet(settings, side, channels):
    filters = settings["filters"]
    layers, channels = [(side, 3, channels, filters)], filters
    for group in range(3):
        width = filters * (settings["widen"] or 10) << group
        side = _halved(side) if group else side
        for _ in range(((settings["depth"] or 28) - 4) // 6):
            layers += [(side, 3, channels, width), (side, 3, width, width)]
            if channels != width:
                layers.append((side, 1, channels, width))
            channels = width
    return layers


def _halved(side):
    """What is left of a side by a stride of 2, whose last position is padded."""
    return -(-side // 2)


_LAYERS = {
    "conv4": _conv4,
    "mlp": _mlp,
    "resnet10": _resnet(1),
    "resnet12": _resnet12,
    "resnet18": _resnet(2),
    "wide_resnet": _wide_resnet,
}
