"""Loss and accuracy over epochs, and where MGAug began (Figures 3 and 6)."""

from launch.analyses import result
from launch.analyses.runs import histories_by_name
from tfmgaug import figures

_LOGS = ("loss", "val_loss", "accuracy", "val_accuracy")
_TESTED = (
    ("loss", "training loss"),
    ("test_classes_loss", "test loss"),
    ("accuracy", "training accuracy"),
    ("test_classes_accuracy", "test accuracy"),
)


def analyze(runs):
    """Draws the history of every run; runs of one name are averaged.

    Runs that were all trained with --gap_episodes are drawn on test classes, others on validation.

    Args:
        runs: list of `launch.analyses.runs.Run`, finished or not.

    Returns:
        A `Result`.
    """
    histories = histories_by_name(runs)
    text = "\n".join(f"{name}: {_best(of_name)}" for name, of_name in histories.items())
    tested = all("test_classes_loss" in row for run in runs for row in run.history)
    logs = (*_LOGS, "test_classes_loss", "test_classes_accuracy") if tested else _LOGS
    results = [
        {
            "run": str(run.path),
            "name": run.name,
            "mgaug_from_epoch": _start(run),
            "epochs": [
                {"epoch": row.get("epoch", k), **{log: row.get(log) for log in logs}}
                for k, row in enumerate(run.history)
            ],
        }
        for run in runs
    ]
    drawn = {"panels": _TESTED} if tested else {}
    return result.Result(text, results, figures.run_curves(histories, _marks(runs), **drawn))


def _start(run):
    """The first epoch with MGAug, or None without it."""
    return None if run.saved["mask"] == "none" else run.saved["mgaug_from_epoch"]


def _marks(runs):
    """Where MGAug began, if some run began with it later than at the start."""
    starts = {run.name: _start(run) for run in runs if _start(run) is not None}
    return starts if any(starts.values()) else None


def _best(histories):
    best = [
        max((row["val_accuracy"], row.get("epoch", k)) for k, row in enumerate(history)
            if row.get("val_accuracy") is not None)
        for history in histories
        if any(row.get("val_accuracy") is not None for row in history)
    ]  # fmt: skip
    if not best:
        return f"{sum(map(len, histories))} epochs"
    return ", ".join(f"best {100 * value:.2f} % in epoch {epoch + 1}" for value, epoch in best)
