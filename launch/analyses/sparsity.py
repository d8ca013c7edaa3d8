"""Pruned weights of each layer over epochs."""

from launch.analyses import result
from launch.analyses.runs import histories_by_name
from tfmgaug import figures

_LOG = "mask_sparsity/"


def analyze(runs):
    """Draws the history of every run; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`, finished or not.

    Returns:
        A `Result`.

    Raises:
        ValueError: a run's history has no sparsity: it is none of Meta-ticket.
    """
    results = [{"run": str(run.path), "name": run.name, "epochs": _sparsities(run)} for run in runs]
    text = "\n".join(
        f"{row['name']}, pruned after epoch {row['epochs'][-1]['epoch'] + 1}: "
        + ", ".join(f"{w} {100 * s:.2f} %" for w, s in row["epochs"][-1]["layers"].items())
        for row in results
    )
    return result.Result(text, results, figures.sparsity_curves(histories_by_name(runs)))


def _sparsities(run):
    rows = [
        {
            "epoch": row["epoch"],
            "step": row.get("step"),
            "layers": {k.removeprefix(_LOG): v for k, v in row.items() if k.startswith(_LOG)},
        }
        for row in run.history
    ]
    if not rows or not all(row["layers"] for row in rows):
        raise ValueError(
            "Expected runs of Meta-ticket, whose histories hold the sparsity of each layer. "
            f"Received: {run.path}, whose history holds none."
        )
    return rows
