"""What the landscape paper's flags stand for: measurements in training, and the baseline."""

from launch.landscape_flags import BASELINE, BATCH_SIZE
from tfmgaug import callbacks, data


def monitors(settings, job, directory, history):
    """Returns the callbacks that the flags ask for, which belong before checkpoints.

    Args:
        settings: absl flags.
        job: `launch.tasks.Tasks`.
        directory: `RunDirectory`.
        history: rows of earlier epochs.
    """
    return [*_monitor(settings, job, directory, history), *_stopping(settings, job, history)]


def monitored(settings):
    """Returns the log by which the best epoch is chosen; None: the validation's."""
    return None if settings.coherence_patience is None else "gradient_coherence"


def learner_options(settings, train):
    """Returns the arguments of the constructor that the baseline alone has.

    Args:
        settings: absl flags.
        train: sampler of the training data.
    """
    return {"classes": len(train.classes.counts)} if settings.learner == BASELINE else {}


def labeled_images(settings, classes, transform):
    """Returns the sampler that the baseline trains on.

    Args:
        settings: absl flags.
        classes: `ImageClasses`.
        transform: `ImageTransform`, or None.
    """
    batch = settings.batch_size or BATCH_SIZE
    return data.LabeledSampler(classes, batch, settings.seed, transform)


def first_of_step(sampler, step):
    """Returns the place in a sampler's data where an outer step begins."""
    return step * (sampler.batch if isinstance(sampler, data.LabeledSampler) else sampler.tasks)


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
