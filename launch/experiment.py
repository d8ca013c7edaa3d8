"""An experiment: all that a training run is, as data.

Its data, sizes and seeds are fields; what is built are parts: a constructor and its arguments, all
of them, so that a run is rebuilt from its `experiment.json` alone, whatever defaults become.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from launch import earlier

FORMAT, VERSION = 1, "0.1.0"  # of experiment.json, and of the package that writes it


@dataclass(frozen=True)
class Part:
    """A constructor and its arguments, some of which may be parts.

    Args:
        name: of its row in `launch.registry`.
        constructor: dotted path of a class or function.
        arguments: dictionary of what JSON can hold, and of parts.
    """

    name: str
    constructor: str
    arguments: dict


@dataclass(frozen=True)
class Data:
    """Data and the shape of episodes, which training, evaluation and analysis share.

    Args:
        data: str, data set. glyphs needs no download.
        data_dir: image folder, or TensorFlow Datasets' folder.
        image_size: int, height and width that images are resized to.
        image_fit: how a photo becomes a square of that size: "squash" resizes all of it,
            "center_crop" keeps its aspect ratio at 1.5 times the size and cuts out the center, and
            "bounding_box" resizes what its box cuts out (cars and birds of TensorFlow Datasets).
        split: split of Omniglot, "vinyals" or "background".
        rotations: bool, whether turned images are classes of their own.
        download: bool, whether data may be downloaded.
        skip_unreadable: bool, leave out images that can't be read.
        skip_small_classes: bool, leave out classes with fewer than shot + query images.
        fractions: shares of a folder's classes for training, validation and test; 0.64,0.16,0.2 by
            default.
        groups: which images of a folder stand on one side of an episode: folder for those in one
            folder below that of their class, or a regular expression with one group in parentheses,
            which is looked for in the path of an image.
        cache_dir: folder in which decoded images are kept.
        way: int >= 2, classes in an episode.
        shot: int >= 1, labeled images of each class to adapt on.
        query: int >= 1, images of each class to predict.
        data_seed: int >= 0, seed of splits and of validation and test episodes, which runs to be
            compared must share.
        test_episodes: int >= 2, frozen test episodes.
        test_classes: classes of test episodes: "test", "validation" or "train", which shows what
            was memorized. Of a folder that a run was not trained on, all classes are test classes.
        test_mutually_exclusive: bool, shuffle labels in every test task. Otherwise a class keeps
            the label that --nomutually_exclusive gives it in training.
        test_crop: bool, load images at 1.15 x image_size and test on their center, as the papers
            on photos do. Training is on the center too, or with --augment_images on crops of all.
        train_classes: int >= 2, train on this many of the training classes.
        train_amplitude: list of floats >= 0, amplitudes of sine curves in training and validation
            tasks: one number, or a range low,high. SinusoidSampler's by default.
        train_phase: list of floats >= 0, phases of sine curves in training and validation tasks, in
            radians: one number, or a range low,high. SinusoidSampler's by default.
        test_amplitude: list of floats >= 0, amplitudes of sine curves in test tasks: one number, or
            a range low,high. SinusoidSampler.TEST_RANGES by default.
        test_phase: list of floats >= 0, phases of sine curves in test tasks, in radians: one
            number, or a range low,high. SinusoidSampler.TEST_RANGES by default.
    """

    data: str = "glyphs"
    data_dir: str | None = None
    image_size: int | None = None
    image_fit: Literal["squash", "center_crop", "bounding_box"] = "squash"
    split: Literal["vinyals", "background"] = "vinyals"
    rotations: bool = False
    download: bool = True
    skip_unreadable: bool = False
    skip_small_classes: bool = False
    fractions: list[str] | None = None
    groups: str | None = None
    cache_dir: str | None = None
    way: int = 5
    shot: int = 1
    query: int = 15
    data_seed: int = 0
    test_episodes: int = 600
    test_classes: Literal["test", "validation", "train"] = "test"
    test_mutually_exclusive: bool = True
    test_crop: bool = False
    train_classes: int | None = None
    train_amplitude: list[float] | None = None
    train_phase: list[float] | None = None
    test_amplitude: list[float] | None = None
    test_phase: list[float] | None = None


@dataclass(frozen=True)
class Training:
    """The length of training, its tasks, and how it is computed.

    Args:
        seed: int >= 0, seed of the weights, training episodes and pruning.
        epochs: int >= 1, epochs of training.
        steps_per_epoch: int >= 1, outer steps in an epoch.
        tasks: int >= 1, tasks in an outer step.
        train_way: int >= 2, classes in a training episode, if not --way (ProtoNet, MetaOptNet).
        train_shot: int >= 1, shots of a training episode, if not --shot.
        train_query: int >= 1, queries of each class in a training episode.
        batch_size: int >= 1, images in a step of fine_tuning, which has no tasks.
        mutually_exclusive: bool, shuffle labels in every training task.
        augment_images: bool, crop, jitter and flip training images (Aug).
        image_crop: crop of --augment_images, resized to --image_size: a part of the "square" that
            an image was resized to; of the "photo" with its own aspect ratio, as MGAug's; or of the
            image "padded" by 8 black pixels on each side, its size kept, as MetaOptNet's.
        train_resolutions: list of ints >= 1, image sizes, one of which is drawn for each step's
            training tasks (random scaling).
        learning_rate: float >= 0, learning rate of the outer optimizer.
        mgaug_from_epoch: int >= 0, first epoch with MGAug.
        regularize_subnetworks: bool, whether regularizers act on MGAug's sub-networks too.
        test_inner_steps: int >= 1, gradient steps per task in the final test and in what is saved,
            and with Reptile in validation too, if not --inner_steps.
        validation_episodes: int >= 2, validation tasks after each epoch.
        gradient_norms_every: int >= 0, epochs between two measurements of validation tasks' first
            inner gradient; 0: none.
        gap_episodes: int >= 2, tasks of training and of test classes that are tested after each
            epoch; none by default.
        keep: epoch that is tested: the "best" of validation, or the "last".
        distribute: devices that share the tasks: "auto", as many GPUs as can share them evenly;
            "mirrored", all; or "none".
        precision: precision of the backbone: "float32" or "mixed_bfloat16".
        threads: int >= 0, CPU threads that share an operation; 0: one if there is a task for every
            core.
    """

    seed: int = 0
    epochs: int = 8
    steps_per_epoch: int = 30
    tasks: int = 4
    train_way: int | None = None
    train_shot: int | None = None
    train_query: int = 5
    batch_size: int = 64
    mutually_exclusive: bool = True
    augment_images: bool = False
    image_crop: Literal["square", "photo", "padded"] = "square"
    train_resolutions: list[int] | None = None
    learning_rate: float = 1e-3
    mgaug_from_epoch: int = 0
    regularize_subnetworks: bool = False
    test_inner_steps: int | None = None
    validation_episodes: int = 40
    gradient_norms_every: int = 0
    gap_episodes: int | None = None
    keep: Literal["best", "last"] = "best"
    distribute: Literal["auto", "none", "mirrored"] = "auto"
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    threads: int = 0


@dataclass(frozen=True)
class Destination:
    """Where a run writes, which is no part of what it is.

    Args:
        run_dir: directory of the run; runs/<data>-<learner>-... by default.
        overwrite: replace an earlier run in --run_dir.
        resume: go on with the run in --run_dir, if there is one.
    """

    run_dir: str | None = None
    overwrite: bool = False
    resume: bool = False


@dataclass(frozen=True, kw_only=True)
class Experiment(Training, Data):
    """All that a training run is.

    Args:
        learner: with its head, inner optimizer, score mask and initializer as arguments.
        backbone: of the learner.
        optimizer: of the outer loop.
        schedule: of the learning rate; None: it is constant.
        augmentation: MGAug with its mask, or None.
        regularizers: of training tasks.
        magnitude_mask: that the pruning schedule switches on and off, or None.
        pruning: its schedule, or None.
        task_augmentation: of training tasks, or None.
        redraw: IteRand, or None.
        monitor: of the landscape, or None.
        stopping: by coherence, or None.
    """

    learner: Part
    backbone: Part
    optimizer: Part
    schedule: Part | None = None
    augmentation: Part | None = None
    regularizers: tuple[Part, ...] = ()
    magnitude_mask: Part | None = None
    pruning: Part | None = None
    task_augmentation: Part | None = None
    redraw: Part | None = None
    monitor: Part | None = None
    stopping: Part | None = None

    def to_json(self):
        """Returns a dictionary that JSON can hold."""
        return {"format": FORMAT, "version": VERSION, **dataclasses.asdict(self)}

    @classmethod
    def from_json(cls, saved):
        """Makes the experiment again.

        Args:
            saved: of `to_json`.

        Raises:
            ValueError: another version of the package has written it.
        """
        names = {"format", "version", *(field.name for field in dataclasses.fields(cls))}
        if saved.get("format") != FORMAT or set(saved) - names:
            unknown = ", ".join(sorted(set(saved) - names))
            raise ValueError(
                f"Expected an experiment.json of format {FORMAT}. Received: format "
                f"{saved.get('format')}, written by tfmgaug {saved.get('version')}"
                f"{unknown and f', with {unknown}'}. Open it with that version."
            )
        # A field that is newer than the run has its default, which is what the run did.
        here = (names & set(saved)) - {"format", "version"}
        fields = {name: _part(saved[name]) for name in here}
        return cls(**{**fields, "regularizers": tuple(fields["regularizers"])})


def _part(value):
    """A value of JSON with its parts made again."""
    if isinstance(value, list):
        return [_part(entry) for entry in value]
    if isinstance(value, dict):
        arguments = {name: _part(entry) for name, entry in value["arguments"].items()}
        return Part(value["name"], *earlier.part(value["constructor"], arguments))
    return value
