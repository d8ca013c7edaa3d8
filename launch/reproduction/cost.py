"""How long a run will take: a rough count of its work, and what this machine made of it so far."""

from launch.reproduction.operations import operations

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
    epochs = settings["epochs"] - epochs_done
    steps = epochs * settings["steps_per_epoch"]
    images = steps * _training_images(settings) + _tested_images(settings, epochs)
    return _PER_RUN + _PER_STEP * steps + images * operations(settings) / _RATE


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


def _training_images(settings):
    """Forward passes of one image that an outer step takes."""
    if settings["learner"] == "fine_tuning":
        return _GRADIENT * (settings["batch_size"] or 64)
    return settings["tasks"] * _images_of_a_task(settings)


def _images_of_a_task(settings):
    support = settings["way"] * (settings.get("train_shot") or settings["shot"])
    query = settings["way"] * settings["train_query"]
    if settings["learner"] == "reptile":
        # Queries are predicted, and nothing is learned from them.
        batch = settings.get("inner_batch") or support
        full = _GRADIENT * settings["inner_steps"] * batch + query
    else:
        full = _GRADIENT * (_steps(settings) * support + query)
    if "maxup" in settings["regularizers"]:
        # Each augmentation is adapted to; the worst is then trained on.
        adapting = support if _closed(settings) else _GRADIENT * _steps(settings) * support
        full += (settings["maxup_m"] or 4) * (adapting + query)
    if settings["mask"] == "none":
        return full
    sizes = [int(size) for size in settings["resolutions"] or []]
    largest = settings["image_size"] or 84
    share = sum((size / largest) ** 2 for size in sizes) / len(sizes) if sizes else 1
    return full * (1 + share * settings["subnetworks"]) + _GRADIENT * query


def _closed(settings):
    return settings["learner"] in ("metaoptnet", "protonet")


def _steps(settings):
    # The support set of a head in closed form is differentiated once.
    return 1 if _closed(settings) else settings["inner_steps"]


def _tested_images(settings, epochs):
    """Forward passes of one image that validation after each epoch and the final test take."""
    tasks = settings["validation_episodes"] + 2 * (settings.get("gap_episodes") or 0)
    own = settings.get("test_inner_steps") or settings["inner_steps"]
    # What Reptile has for tests it has for validation too.
    steps = own if settings["learner"] == "reptile" else settings["inner_steps"]
    # Transductive, with the support set's statistics, and some have a third.
    modes = 2 + (settings.get("statistics") in ("one_by_one", "running"))
    final = 2 * modes * settings["test_episodes"]  # before and after training
    validation, test = (_images_of_a_test(settings, count) for count in (steps, own))
    return epochs * tasks * validation + final * test


def _images_of_a_test(settings, steps):
    support, query = (settings["way"] * settings[name] for name in ("shot", "query"))
    if _closed(settings):
        return support + query
    if settings["learner"] == "reptile":
        support = settings.get("evaluation_batch") or settings.get("inner_batch") or support
    # A context stands near the network's end, and its gradient alone is taken.
    passes = 1 if settings["learner"] == "cavia" else _GRADIENT
    # Queries are predicted after every inner step.
    return steps * (passes * support + query) + query
