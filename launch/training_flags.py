"""The flags of training: its length, its tasks, and how it is computed."""

from absl import flags

from launch import number_flags
from launch.data_flags import IMAGES
from launch.given_flags import read_with

READ_WITH = {
    "augment_images": read_with(data=IMAGES),
    "gap_episodes": read_with(data=IMAGES),
    "rotation_probability": read_with(task_augmentation=("rotate",)),
    "rotation_ramp": read_with(task_augmentation=("rotate",)),
}


def define():
    """Defines the flags."""
    flags.DEFINE_integer("seed", 0, "Of the weights, training episodes and pruning.", lower_bound=0)
    flags.DEFINE_string("run_dir", None, "Where to write; runs/<data>-<learner>-... by default.")
    flags.DEFINE_boolean("overwrite", False, "Replace an earlier run in run_dir.")
    flags.DEFINE_boolean("resume", False, "Go on with the run in run_dir, if there is one.")
    flags.DEFINE_integer("epochs", 8, "Epochs.", lower_bound=1)
    flags.DEFINE_integer("steps_per_epoch", 30, "Outer steps in an epoch.", lower_bound=1)
    flags.DEFINE_integer("tasks", 4, "Tasks in an outer step.", lower_bound=1)
    flags.DEFINE_integer(
        "train_way",
        None,
        "Classes in a training episode, if not --way (ProtoNet, MetaOptNet).",
        lower_bound=2,
    )
    flags.DEFINE_integer(
        "train_shot", None, "Shots of a training episode, if not --shot.", lower_bound=1
    )
    flags.DEFINE_integer(
        "train_query", 5, "Queries of each class in a training episode.", lower_bound=1
    )
    flags.DEFINE_boolean("mutually_exclusive", True, "Shuffle labels in every training task.")
    flags.DEFINE_boolean("augment_images", False, "Aug: crop, jitter and flip training images.")
    number_flags.define(
        "train_resolutions",
        "Random scaling: image sizes, one of which is drawn for each step's training tasks.",
        kind=int,
        lower_bound=1,
    )
    flags.DEFINE_enum(
        "task_augmentation",
        "none",
        ["none", "rotate"],
        "TaskAug: rotated training images are new training classes.",
    )
    flags.DEFINE_float(
        "rotation_probability",
        None,
        "Of a new class in TaskAug; 0.75 by default.",
        lower_bound=0,
        upper_bound=1,
    )
    flags.DEFINE_integer(
        "rotation_ramp", None, "Episodes over which it rises from 0; 0 by default.", lower_bound=0
    )
    flags.DEFINE_integer("validation_episodes", 40, "After each epoch.", lower_bound=2)
    flags.DEFINE_integer(
        "gradient_norms_every",
        0,
        "Epochs between two measurements of validation tasks' first inner gradient; 0: none.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        "gap_episodes",
        None,
        "After each epoch, test this many tasks of training and of test classes too; none by "
        "default.",
        lower_bound=2,
    )
    flags.DEFINE_enum(
        "keep", "best", ["best", "last"], "Which epoch is tested: of best validation, or the last."
    )
    flags.DEFINE_enum("distribute", "auto", ["auto", "none", "mirrored"], "Over which devices.")
    flags.DEFINE_enum("precision", "float32", ["float32", "mixed_bfloat16"], "Of the backbone.")
    flags.DEFINE_integer("parallel_tasks", 4, "Tasks computed side by side.", lower_bound=1)
    flags.DEFINE_integer(
        "threads",
        0,
        "CPU threads that share an operation; 0: one if there is a task for every core.",
        lower_bound=0,
    )
    flags.DEFINE_boolean("fused", True, "Compile Conv-4's normalization and pooling into one.")
    flags.DEFINE_boolean(
        "recompute_inner_steps",
        False,
        "Run inner steps again when they are differentiated: less memory at second order.",
    )


def check(settings):
    """Refuses flags that contradict each other, and a measurement that never comes.

    Args:
        settings: absl flags.

    Raises:
        ValueError: they say why.
    """
    if settings.overwrite and settings.resume:
        raise ValueError(
            "--resume goes on with the run in --run_dir, --overwrite replaces it: choose one. "
            "Received: both."
        )
    if settings.task_augmentation == "rotate" and settings.rotations:
        raise ValueError(
            "--task_augmentation=rotate adds rotated classes to the training set, --rotations to "
            "all three sets: choose one. Received: both."
        )
    if settings.gradient_norms_every > settings.epochs:
        raise ValueError(
            f"--gradient_norms_every must be at most --epochs={settings.epochs}, or nothing is "
            f"ever measured. Received: --gradient_norms_every={settings.gradient_norms_every}."
        )
