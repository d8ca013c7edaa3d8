"""The samplers of training, validation and test tasks, made from flags."""

import dataclasses
from typing import Any, NamedTuple

from launch import images, ways
from launch.construction.building import build as build_part
from tfmgaug import data

# Tasks that select the model, and those that judge it, must not share their draws.
_VALIDATION, _TEST, _SEEN = 1_000_003, 2_000_003, 3_000_017

# A batch of evaluation tasks. Four leave a core idle: 600 episodes took twice as long.
_BATCH = 20


class Tasks(NamedTuple):
    """Samplers, and what the backbone must know of their examples.

    Attributes:
        train: sampler of training episodes, or a `LabeledSampler` of training images.
        validation: sampler of validation episodes.
        test: sampler of test episodes, frozen by the seed.
        test_classes: `ImageClasses` of the test; None for regression.
        seen: sampler of tasks like those of the test, but of training classes; None for regression.
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
    seen: Any = None

    @property
    def regression(self):
        """Whether targets are values rather than classes."""
        return self.test_classes is None


def build(settings):
    """Loads the data and makes the samplers; refuses data that don't fit the episodes.

    Args:
        settings: `launch.experiment.Experiment`.

    Returns:
        `Tasks`.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: the data doesn't fit the episodes.
    """
    if settings.data == "sinusoids":
        return _sinusoids(settings)
    splits = images.load(settings)
    ways.check(settings, splits)
    of_photos = settings.augment_images and settings.image_crop == "photo"
    pictures = images.load_photos(settings) if of_photos else splits.train
    train = _training_sampler(settings, pictures)
    test = _test_sampler(settings, splits)
    return Tasks(
        train=train,
        validation=_sampler(
            settings,
            splits.validation,
            settings.data_seed + _VALIDATION,
            transform=_test_transform(settings),
        ),
        test=test,
        test_classes=test.classes,
        example_shape=train.image_shape,
        mean=splits.train.mean,
        standard_deviation=splits.train.standard_deviation,
        seen=_sampler(
            settings,
            splits.train,
            settings.data_seed + _SEEN,
            mutually_exclusive=settings.mutually_exclusive,
            transform=_test_transform(settings),
        ),
    )


def test_sampler(settings, runs=()):  # noqa: PT028, no test
    """Makes the sampler of test episodes alone, for evaluation on any data set.

    Args:
        settings: `launch.experiment.Data`.
        runs: paths of the runs that are tested. Of a folder that none of them was trained on, and
            that is not split itself, all classes are test classes.

    Returns:
        An `EpisodeSampler`.

    Raises:
        FileNotFoundError: data is missing.
        ValueError: the data doesn't fit the episodes, or the flags each other.
    """
    if settings.train_classes is not None and settings.test_classes != "train":
        raise ValueError(
            "--train_classes needs --test_classes=train, as an evaluation trains nothing. "
            f"Received: --test_classes={settings.test_classes}."
        )
    foreign = images.is_foreign(settings, runs)
    return _test_sampler(settings, images.load_all(settings) if foreign else images.load(settings))


def _training_sampler(settings, classes):
    transform = _training_transform(settings)
    if settings.learner.name == "fine_tuning":
        return data.LabeledSampler(classes, settings.batch_size, settings.seed, transform)
    return _sampler(
        settings,
        classes,
        settings.seed,
        way=settings.train_way or settings.way,
        shot=settings.train_shot or settings.shot,
        query=settings.train_query,
        tasks=settings.tasks,
        mutually_exclusive=settings.mutually_exclusive,
        transform=transform,
        task_augmentation=build_part(settings.task_augmentation),
        resolutions=settings.train_resolutions,
    )


def _training_transform(settings):
    if not settings.augment_images:
        return _test_transform(settings)
    if settings.image_crop == "padded":
        return data.PaddedCrop()
    resized = settings.test_crop or settings.image_crop == "photo"
    return data.Augment(image_size=settings.image_size if resized else None)


def _test_transform(settings):
    return data.CenterCrop(settings.image_size) if settings.test_crop else None


def _test_sampler(settings, splits):
    classes = getattr(splits, settings.test_classes)
    if not settings.test_mutually_exclusive:
        classes = dataclasses.replace(classes, name=f"{classes.name} with fixed labels")
    return _sampler(
        settings,
        classes,
        settings.data_seed + _TEST,
        mutually_exclusive=settings.test_mutually_exclusive,
        transform=_test_transform(settings),
    )


def _sampler(settings, classes, seed, **options):
    shape = {"way": settings.way, "shot": settings.shot, "query": settings.query, "tasks": _BATCH}
    # Whatever the seed of a run, a class has the same label: tests can ask for it.
    partition = {"partition_seed": settings.data_seed}
    return data.EpisodeSampler(classes, seed=seed, **{**shape, **partition, **options})


def _sinusoids(settings):
    train = _ranges(amplitude=settings.train_amplitude, phase=settings.train_phase)
    test = _ranges(amplitude=settings.test_amplitude, phase=settings.test_phase)

    def sampler(seed, tasks, shot=settings.shot, query=settings.query, **ranges):
        return data.SinusoidSampler(shot, query, tasks, seed=seed, **ranges)

    shot = settings.train_shot or settings.shot
    return Tasks(
        train=sampler(settings.seed, settings.tasks, shot, settings.train_query, **train),
        validation=sampler(settings.data_seed + _VALIDATION, _BATCH, **train),
        test=sampler(
            settings.data_seed + _TEST, _BATCH, **{**data.SinusoidSampler.TEST_RANGES, **test}
        ),
        test_classes=None,
        example_shape=(1,),
        mean=0.0,
        standard_deviation=1.0,
    )


def _ranges(**numbers):
    """The ranges that are chosen: (low, high) of a list of two numbers, or of one."""
    chosen = {name: values for name, values in numbers.items() if values is not None}
    return {name: (float(values[0]), float(values[-1])) for name, values in chosen.items()}
