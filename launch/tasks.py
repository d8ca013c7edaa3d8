"""From flags to tasks: what is trained on, validated on and tested on."""

from typing import Any, NamedTuple

from tfmgaug import data

# Tasks that select the model, and those that judge it, must not share their draws.
_VALIDATION, _TEST = 1_000_003, 2_000_003

# A batch of evaluation tasks. Four leave a core idle: 600 episodes took twice as long.
_BATCH = 20


class Tasks(NamedTuple):
    """Samplers, and what the backbone must know of their examples.

    Attributes:
        train: sampler of training episodes.
        validation: sampler of validation episodes.
        test: sampler of test episodes, frozen by the seed.
        test_classes: `ImageClasses` of the test; None for regression.
        example_shape: shape of one example.
        mean: of the training examples.
        standard_deviation: of the training examples.
    """

    train: Any
    validation: Any
    test: Any
    test_classes: Any
    example_shape: tuple
    mean: float
    standard_deviation: float

    @property
    def regression(self):
        """Whether targets are values rather than classes."""
        return self.test_classes is None


def build(settings):
    """Loads the data and makes the samplers; whatever doesn't fit is refused here.

    Args:
        settings: absl flags, as `launch.settings.define` defines them.

    Returns:
        `Tasks`.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: the data doesn't fit the episodes.
    """
    if settings.data == "sinusoids":
        return _sinusoids(settings)
    splits = load(settings)

    return Tasks(
        train=_sampler(
            settings,
            splits.train,
            settings.seed,
            way=settings.train_way or settings.way,
            query=settings.train_query,
            tasks=settings.tasks,
            mutually_exclusive=settings.mutually_exclusive,
            transform=data.Augment() if settings.augment_images else None,
        ),
        validation=_sampler(settings, splits.validation, settings.data_seed + _VALIDATION),
        test=_sampler(settings, splits.test, settings.data_seed + _TEST),
        test_classes=splits.test,
        example_shape=splits.train.image_shape,
        mean=splits.train.mean,
        standard_deviation=splits.train.standard_deviation,
    )


def test_sampler(settings):
    """Makes the sampler of test episodes alone, for evaluation on any data set.

    Args:
        settings: absl flags, as `launch.settings.define_data` defines them.

    Returns:
        An `EpisodeSampler`.
    """
    return _sampler(settings, load(settings).test, settings.data_seed + _TEST)


def load(settings):
    """Loads the images that the flags name, as `Splits`."""
    return data.load(
        settings.data,
        data_dir=settings.data_dir,
        image_size=settings.image_size,
        seed=settings.data_seed,
        cache_dir=settings.cache_dir,
        skip_unreadable=settings.skip_unreadable,
        rotations=settings.rotations,
        split=settings.split,
        download=settings.download,
    )


def _sampler(settings, classes, seed, **options):
    shape = {"way": settings.way, "shot": settings.shot, "query": settings.query, "tasks": _BATCH}
    return data.EpisodeSampler(classes, seed=seed, **{**shape, **options})


def _sinusoids(settings):
    def sampler(seed, tasks, query=settings.query, **ranges):
        return data.SinusoidSampler(settings.shot, query, tasks, seed=seed, **ranges)

    return Tasks(
        train=sampler(settings.seed, settings.tasks, settings.train_query),
        validation=sampler(settings.data_seed + _VALIDATION, _BATCH),
        test=sampler(settings.data_seed + _TEST, _BATCH, **data.SinusoidSampler.TEST_RANGES),
        test_classes=None,
        example_shape=(1,),
        mean=0.0,
        standard_deviation=1.0,
    )
