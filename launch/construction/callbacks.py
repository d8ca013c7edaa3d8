"""The callbacks that an experiment asks for."""

from launch.construction import pruning
from launch.construction.building import build
from tfmgaug import callbacks


def build_schedules(experiment):
    """Builds the callbacks that act between outer steps: pruning, redraws of pruned weights.

    Args:
        experiment: `launch.experiment.Experiment`.

    Raises:
        ValueError: an argument is out of range.
    """
    made = [] if experiment.redraw is None else [build(experiment.redraw)]
    if "score_mask" in experiment.learner.arguments:
        made.append(callbacks.MaskSparsity())
    if experiment.pruning is not None:
        made.append(pruning.within(experiment, build(experiment.pruning)))
    return made


def build_monitors(experiment, job, directory, history):
    """Builds the measurements in training, which belong in front of checkpoints.

    Args:
        experiment: `launch.experiment.Experiment`.
        job: `launch.tasks.Tasks`.
        directory: `RunDirectory`.
        history: rows of earlier epochs.
    """
    made = []
    if experiment.monitor is not None:
        measured = [row for row in history if "landscape/support_loss" in row]
        folder = directory.figures
        made.append(build(experiment.monitor, job.test, figure_dir=folder, history=measured))
    if experiment.stopping is not None:
        made.append(
            build(
                experiment.stopping,
                job.validation,
                restore_best_weights=False,  # the checkpoint's are evaluated
                history=history,
            )
        )
    return made


def monitored(experiment):
    """Returns the log by which the best epoch is chosen; None: the validation's."""
    return None if experiment.stopping is None else "gradient_coherence"
