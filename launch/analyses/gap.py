"""Accuracy on training and test classes, and their difference (Figures 1 and 2)."""

from launch.analyses import result
from tfmgaug import figures

_TESTED = ("training_classes_accuracy", "test_classes_accuracy")
_TRAINED = ("accuracy", "val_accuracy")
_NOTE = (
    "Of training: tasks as they were trained on, whose shots and inner steps may differ, against "
    "validation tasks. Train with --gap_episodes to have both on the same footing."
)


def analyze(runs):
    """Draws both accuracies of every run over epochs; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`, finished or not.

    Returns:
        A `Result`.

    Raises:
        ValueError: a run has no accuracy.
    """
    histories = {run.path: run.history for run in runs}
    tested = all(key in row for rows in histories.values() for row in rows for key in _TESTED)
    keys = _TESTED if tested else _TRAINED
    curves, results = {}, []
    for run in runs:
        epochs = [_epoch(run, row, keys) for row in histories[run.path]]
        curves.setdefault(run.name, []).append(epochs)
        results.append({"run": str(run.path), "name": run.name, "of": list(keys), "epochs": epochs})
    lines = [f"{row['name']}: {_last(row['epochs'][-1])}" for row in results]
    text = "\n".join([*lines, *([] if tested else [_NOTE])])
    return result.Result(text, results, figures.gap_curves(curves))


def _epoch(run, row, keys):
    if any(row.get(key) is None for key in keys):
        raise ValueError(f"{run.path} has no {' and '.join(keys)} of each epoch to compare.")
    training, test = (row[key] for key in keys)
    return {
        "epoch": row["epoch"],
        "training_accuracy": training,
        "test_accuracy": test,
        "accuracy_gap": training - test,
    }


def _last(epoch):
    training, test, gap = (
        100 * epoch[key] for key in ("training_accuracy", "test_accuracy", "accuracy_gap")
    )
    return (
        f"{training:.2f} % on training classes, {test:.2f} % on test classes, gap {gap:.2f} points "
        f"after epoch {epoch['epoch'] + 1}"
    )
