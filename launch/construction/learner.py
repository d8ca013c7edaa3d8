"""The compiled learner that flags describe."""

import keras

from launch.construction import (
    cavia,
    landscape,
    meta_ticket,
    metaoptnet,
    pruning,
    regularizers,
    reptile,
)
from launch.construction.augmentation import build_augmentation
from launch.construction.backbone import build_backbone
from launch.construction.optimizer import build_optimizer
from launch.learner_flags import EMBEDDING, LEARNED_RATES, LEARNING_OVER_TASKS, SECOND_ORDER
from tfmgaug import learners
from tfmgaug.augmentation.mgaug import check_resolutions

LEARNERS = {
    "anil": learners.ANIL,
    "boil": learners.BOIL,
    "cavia": learners.CAVIA,
    "fine_tuning": learners.FineTuning,
    "fomaml": learners.FOMAML,
    "maml": learners.MAML,
    "meta_ticket": learners.MetaTicket,
    "meta_ticket_boil": learners.MetaTicketBOIL,
    "metaoptnet": learners.MetaOptNet,
    "protonet": learners.ProtoNet,
    "reptile": learners.Reptile,
}


def set_precision(policy):
    """Sets the Keras dtype policy of all layers built from now on."""
    keras.config.set_dtype_policy(policy)


def build_learner(settings, tasks):
    """Builds and compiles the learner that the flags describe.

    Args:
        settings: absl flags, as `launch.settings.define` defines them.
        tasks: `launch.tasks.Tasks`.

    Returns:
        A compiled `MetaLearner`.

    Raises:
        ValueError: flags do not fit together.
    """
    options = {
        "statistics": settings.statistics,
        "parallel_tasks": settings.parallel_tasks,
        "seed": settings.seed,
    }
    if tasks.regression:
        options["loss"] = "mean_squared_error"
    if settings.learner == "protonet":
        options["distance"] = settings.distance
    if settings.learner not in EMBEDDING:
        options["inner_steps"] = settings.inner_steps
        options["inner_learning_rate"] = settings.inner_learning_rate
    if settings.learner in LEARNED_RATES:
        options["learn_inner_rates"] = settings.learn_inner_rates
    if settings.learner in SECOND_ORDER:
        options["recompute_inner_steps"] = settings.recompute_inner_steps
    if settings.learner in LEARNING_OVER_TASKS:
        options["augmentation"] = build_augmentation(settings)
        options["regularizers"] = regularizers.build(settings)
    for family in (meta_ticket, cavia, metaoptnet, reptile, pruning):
        options |= family.learner_options(settings)
    options |= landscape.learner_options(settings, tasks.train)
    learner = LEARNERS[settings.learner](build_backbone(settings, tasks), **options)
    if getattr(tasks.train, "resolutions", None):
        check_resolutions(learner.backbone, tasks.train.resolutions)
    learner.compile(optimizer=build_optimizer(settings))
    return learner
