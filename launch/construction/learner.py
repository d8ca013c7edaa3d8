"""The compiled learner of an experiment."""

import keras

from launch.construction.building import build
from tfmgaug.augmentation.mgaug import check_resolutions
from tfmgaug.data import LabeledSampler


def set_precision(policy):
    """Sets the Keras dtype policy of all layers built from now on."""
    keras.config.set_dtype_policy(policy)


def build_learner(experiment, tasks):
    """Builds and compiles the learner of an experiment.

    Args:
        experiment: `launch.experiment.Experiment`.
        tasks: `launch.tasks.Tasks`.

    Returns:
        A compiled `MetaLearner`.

    Raises:
        ValueError: arguments do not fit together.
    """
    backbone = build_backbone(experiment, tasks)
    learner = build(experiment.learner, backbone, **_options(experiment, tasks))
    if getattr(tasks.train, "resolutions", None):
        check_resolutions(learner.backbone, tasks.train.resolutions)
    learner.compile(optimizer=build_optimizer(experiment))
    return learner


def build_backbone(experiment, tasks):
    """Builds the network of an experiment.

    Args:
        experiment: `launch.experiment.Experiment`.
        tasks: `launch.tasks.Tasks`.

    Returns:
        A `keras.Model`, from inputs to logits; to embeddings where the learner has no inner steps.

    Raises:
        ValueError: the examples don't fit it.
    """
    outputs = 1 if tasks.regression else experiment.way
    return build(
        experiment.backbone,
        outputs if "inner_steps" in experiment.learner.arguments else None,
        tasks.example_shape,
        mean=tasks.mean,
        standard_deviation=tasks.standard_deviation,
        seed=experiment.seed,
    )


def build_optimizer(experiment):
    """Builds the optimizer of the outer loop.

    Args:
        experiment: `launch.experiment.Experiment`.

    Returns:
        A Keras optimizer.
    """
    rate, length = experiment.learning_rate, (experiment.epochs, experiment.steps_per_epoch)
    schedule = experiment.schedule and build(experiment.schedule, rate, *length)
    return build(experiment.optimizer, schedule or rate)


def _options(experiment, tasks):
    """The learner's arguments that no flag of its own fills."""
    options = {"seed": experiment.seed}
    if tasks.regression:
        options["loss"] = "mean_squared_error"
    if experiment.magnitude_mask is not None:
        options["magnitude_mask"] = build(experiment.magnitude_mask)
    if isinstance(tasks.train, LabeledSampler):
        return {**options, "classes": len(tasks.train.classes.counts)}
    return {
        **options,
        "augmentation": build(experiment.augmentation),
        "regularizers": [build(regularizer) for regularizer in experiment.regularizers],
    }
