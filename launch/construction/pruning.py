"""The schedules of network pruning: DSD and IHT."""

from tfmgaug.callbacks import DSD, IHT


def dsd(dense: int, sparse: int, retrain: int | None = None):
    """Builds DSD.

    Args:
        dense: int, outer steps before pruning.
        sparse: int, outer steps of the pruned network, of iht in each round.
        retrain: int, outer steps of the dense network in each round of iht; of dsd 0 alone, which
            is never dense again: the final network is pruned.

    Returns:
        A Keras callback.
    """
    return DSD(dense, sparse, retrain is None)


def iht(dense: int, sparse: int, retrain: int, **options):
    """Builds IHT.

    Args:
        dense: int, outer steps before pruning.
        sparse: int, outer steps of the pruned network, of iht in each round.
        retrain: int, outer steps of the dense network in each round.
        **options: of `tfmgaug.callbacks.IHT`.

    Returns:
        A Keras callback.
    """
    return IHT(dense, sparse, retrain, **options)


def within(experiment, schedule):
    """Refuses a schedule whose last phase never begins.

    Args:
        experiment: `launch.experiment.Experiment`.
        schedule: of `dsd` or `iht`.

    Returns:
        The schedule.

    Raises:
        ValueError: training ends before.
    """
    steps = experiment.epochs * experiment.steps_per_epoch
    if schedule.starts[-1] >= steps:
        raise ValueError(
            f"The last phase must begin before training ends, after {steps} outer steps. "
            f"Received: phases that begin at steps {schedule.starts}."
        )
    return schedule
