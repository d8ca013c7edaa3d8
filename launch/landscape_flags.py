"""The flags of the landscape paper: what is measured in training, and the baseline."""

from absl import flags

from tfmgaug import callbacks, data

MEASURED, STOPPING = "landscape_every", "coherence_patience"
_IDLE = {
    "landscape_tasks": MEASURED,
    "landscape_curvature": MEASURED,
    "landscape_seconds": MEASURED,
    "coherence_tasks": STOPPING,
}
# What makes tasks of training images; the baseline has none in training.
_OF_TASKS = {
    "mutually_exclusive": True,
    "task_augmentation": "none",
    "train_resolutions": None,
    "train_way": None,
    "learn_inner_rates": "no",
    "recompute_inner_steps": False,
}
_BASELINE = "fine_tuning"


def define():
    """Defines the flags."""
    flags.DEFINE_integer(
        MEASURED, None, "Epochs between measurements of the landscape on test tasks.", lower_bound=1
    )
    flags.DEFINE_integer(
        "landscape_tasks", None, "Tasks that it is measured on; 60 by default.", lower_bound=3
    )
    flags.DEFINE_boolean(
        "landscape_curvature", None, "Whether curvature is measured, which takes longest; yes."
    )
    flags.DEFINE_float(
        "landscape_seconds",
        None,
        "Measure no more when it has taken so long in all.",
        lower_bound=0,
    )
    flags.DEFINE_integer(
        STOPPING,
        None,
        "Epochs without a higher coherence of gradients on validation tasks after which training "
        "stops; the weights of the highest are kept. No query labels are read.",
        lower_bound=1,
    )
    flags.DEFINE_integer(
        "coherence_tasks", None, "Tasks that it is measured on; 60 by default.", lower_bound=2
    )
    flags.DEFINE_integer(
        "batch_size", None, "Images in a step of fine_tuning; 64 by default.", lower_bound=1
    )
    flags.DEFINE_boolean(
        "strided", False, "Conv-4 with strided convolutions in the place of pooling."
    )


def monitors(settings, job, directory, history):
    """Returns the callbacks that the flags ask for, which belong before checkpoints.

    Args:
        settings: absl flags.
        job: `launch.tasks.Tasks`.
        directory: `RunDirectory`.
        history: rows of earlier epochs.

    Raises:
        ValueError: a flag is given that nothing reads.
    """
    idle = [
        f"--{flag} is read with --{switch}, which is not given"
        for flag, switch in _IDLE.items()
        if getattr(settings, flag) is not None and getattr(settings, switch) is None
    ]
    if idle:
        raise ValueError(f"{'; '.join(idle)}.")
    return [*_monitor(settings, job, directory, history), *_stopping(settings, job, history)]


def monitored(settings):
    """Returns the log by which the best epoch is chosen; None: the validation's."""
    return None if settings.coherence_patience is None else "gradient_coherence"


def learner_options(settings, train):
    """Returns the arguments of the constructor that the baseline alone has.

    Args:
        settings: absl flags.
        train: sampler of the training data.

    Raises:
        ValueError: a flag is given that nothing reads.
    """
    if settings.learner != _BASELINE:
        if settings.batch_size is not None:
            raise ValueError(
                "--batch_size belongs to --learner=fine_tuning; others take --tasks. "
                f"Received: --batch_size={settings.batch_size} --learner={settings.learner}."
            )
        return {}
    given = [f"--{name}" for name, none in _OF_TASKS.items() if getattr(settings, name) != none]
    given += [] if settings.mask == "none" else [f"--mask={settings.mask} (pass --mask=none)"]
    given += ["--regularizers"] if settings.regularizers else []
    if given:
        raise ValueError(
            "--learner=fine_tuning trains on labeled images: it has no tasks in training, and "
            f"learns nothing over them. Received: {', '.join(given)}."
        )
    return {"classes": len(train.classes.counts)}


def labeled_images(settings, classes, transform):
    """Returns the sampler that the baseline trains on.

    Args:
        settings: absl flags.
        classes: `ImageClasses`.
        transform: `ImageTransform`, or None.
    """
    batch = settings.batch_size or 64
    return data.LabeledSampler(classes, batch, settings.seed, transform)


def first_of_step(sampler, step):
    """Returns the place in a sampler's data where an outer step begins."""
    return step * (sampler.batch if isinstance(sampler, data.LabeledSampler) else sampler.tasks)


def check_backbone(settings):
    """Refuses flags that the backbone doesn't read.

    Raises:
        ValueError: they say why.
    """
    if settings.strided and settings.backbone != "conv4":
        raise ValueError(
            "--strided is of --backbone=conv4, whose blocks pool otherwise. "
            f"Received: --backbone={settings.backbone}."
        )


def _monitor(settings, job, directory, history):
    if settings.landscape_every is None:
        return []
    curvature = settings.landscape_curvature
    return [
        callbacks.LandscapeMonitor(
            job.test,
            every=settings.landscape_every,
            tasks=settings.landscape_tasks or 60,
            max_seconds=settings.landscape_seconds,
            figure_dir=directory.figures,
            history=[row for row in history if "landscape/support_loss" in row],
            curvature=True if curvature is None else curvature,
        )
    ]


def _stopping(settings, job, history):
    if settings.coherence_patience is None:
        return []
    return [
        callbacks.CoherenceStopping(
            job.validation,
            tasks=settings.coherence_tasks or 60,
            patience=settings.coherence_patience,
            restore_best_weights=False,  # the checkpoint's are evaluated
            history=history,
        )
    ]
