"""How long a run will take: a rough count of its work, and what this machine made of it so far."""

_RATE = 1.3e11  # products and sums a second in large convolutions, of two cores
_PER_STEP = 0.05  # seconds of an outer step besides
_PER_RUN = 40.0  # seconds to start, trace, draw and export
_GRADIENT = 3  # forward passes that forward and backward together take


def seconds(settings, epochs_done=0):
    """Estimates the time of a run on two cores.

    Args:
        settings: dictionary, the run's flags.
        epochs_done: int, epochs that need not be run again.

    Returns:
        A float. It may be wrong by a factor of a few; on another machine by far more.
    """
    steps = (settings["epochs"] - epochs_done) * settings["steps_per_epoch"]
    work = steps * _training_images(settings)
    validated = (settings["epochs"] - epochs_done) * settings["validation_episodes"]
    # Before and after training, in two modes of batch statistics.
    work += (validated + 4 * settings["test_episodes"]) * _test_images(settings)
    return _PER_RUN + _PER_STEP * steps + work * operations(settings) / _RATE


class Forecast:
    """Corrects estimates by how long runs took.

    Args:
        finished: pairs of estimated and measured seconds, of runs that are done.
    """

    def __init__(self, finished=()):
        self._pairs = list(finished)

    def note(self, estimated, measured):
        """Takes a run into account."""
        self._pairs.append((estimated, measured))

    def of(self, estimated):
        """Returns the seconds that an estimate stands for, after all that was measured."""
        if not self._pairs:
            return estimated
        return estimated * sum(m for _, m in self._pairs) / sum(e for e, _ in self._pairs)

    @property
    def measured(self):
        """Whether any run was measured."""
        return bool(self._pairs)


def operations(settings):
    """Counts products and sums of one image's forward pass, convolutions only.

    Backbones other than ResNet-10 and ResNet-18 count as Conv-4.

    Args:
        settings: dictionary, the run's flags.

    Returns:
        An int.
    """
    size = settings["image_size"] or 84
    filters = settings["filters"]
    blocks = {"resnet10": 1, "resnet18": 2}.get(settings["backbone"])
    if blocks:
        layers = _resnet(size, filters, blocks)
    else:
        layers = [(size >> block, 3, filters if block else 3, filters) for block in range(4)]
    return sum(2 * side**2 * kernel**2 * a * b for side, kernel, a, b in layers)


def text(seconds):
    """Formats a duration, in the unit that suits it."""
    for limit, unit, name in ((90, 1, "s"), (5400, 60, "min"), (48 * 3600, 3600, "hours")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 86400:.0f} days"


def _resnet(size, filters, blocks):
    """Layers as (side, kernel, channels in, channels out)."""
    layers, channels = [(size // 2, 7, 3, filters)], filters
    for group in range(4):
        side, width = size // 4 >> group, filters << group
        for block in range(blocks):
            own = width if block else channels
            layers += [(side, 3, own, width), (side, 3, width, width)]
            if own != width:
                layers.append((side, 1, own, width))
        channels = width
    return layers


def _training_images(settings):
    """Forward passes of one image that an outer step takes."""
    if settings["learner"] == "fine_tuning":
        return _GRADIENT * (settings["batch_size"] or 64)
    return settings["tasks"] * _images_of_a_task(settings)


def _images_of_a_task(settings):
    support = settings["way"] * (settings.get("train_shot") or settings["shot"])
    support = settings.get("inner_batch") or support  # of one inner step
    query = settings["way"] * settings["train_query"]
    closed = settings["learner"] == "protonet"
    steps = 1 if closed else settings["inner_steps"]
    full = _GRADIENT * (steps * support + query)
    if "maxup" in settings["regularizers"]:
        # Each augmentation is adapted to; the worst is then trained on.
        adapted = support if closed else _GRADIENT * steps * support
        full += (settings["maxup_m"] or 4) * (adapted + query)
    if settings["mask"] == "none":
        return full
    sizes = [int(size) for size in settings["resolutions"] or []]
    largest = settings["image_size"] or 84
    share = sum((size / largest) ** 2 for size in sizes) / len(sizes) if sizes else 1
    return full * (1 + share * settings["subnetworks"]) + _GRADIENT * query


def _test_images(settings):
    support, query = (settings["way"] * settings[name] for name in ("shot", "query"))
    if settings["learner"] == "protonet":
        return support + query
    # Queries are predicted after every inner step.
    steps = settings.get("evaluation_steps") or settings["inner_steps"]
    support = settings.get("evaluation_batch") or settings.get("inner_batch") or support
    return steps * (_GRADIENT * support + query) + query
