"""Test accuracy over the lengths of phases (Figures 3 and 4)."""

from typing import Literal

from launch.analyses import result
from tfmgaug import figures
from tfmgaug.evaluation.summary import summarize

AXES = {
    "dense": "outer steps of pre-training",
    "retrain": "outer steps of retraining",
    "ratio": "sparse share of an interval (%)",
    "interval": "outer steps of an interval",
}


def analyze(runs, *, over: Literal["dense", "interval", "ratio", "retrain"] = "dense"):
    """Draws the test accuracy of runs over a length of theirs, a curve for each kind of pruning.

    Seeds of one point are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`, finished.
        over: which length of a run.

    Returns:
        A `Result`.

    Raises:
        ValueError: a run was not pruned, or has no such length.
    """
    points = _averaged([_point(run, over) for run in runs], over)
    curves = {}
    for point in points:
        curves.setdefault(point["curve"], []).append((point[over], point["accuracy"]))
    text = "\n".join(
        f"{', '.join(p['runs'])}: {100 * p['accuracy']:.2f} ± {100 * p['half_width']:.2f} % at "
        f"{p[over]:g} {AXES[over]}"
        for p in points
    )
    return result.Result(text, points, figures.sensitivity_curves(curves, AXES[over]))


def _averaged(points, over):
    """Averages points of one curve and one length, which are runs of several seeds."""
    groups = {}
    for point in points:
        groups.setdefault((point["curve"], point[over]), []).append(point)
    return [_mean(group) for group in groups.values()]


def _mean(group):
    if len(group) == 1:
        return group[0]
    mean, _, interval, _ = summarize([point["accuracy"] for point in group])
    paths = [path for point in group for path in point["runs"]]
    # The interval is over seeds, where there are several; of one run it is over test episodes.
    return {**group[0], "runs": paths, "accuracy": mean, "half_width": interval}


def _point(run, over):
    saved, report = run.saved, run.report
    if saved.get("pruning", "none") == "none":
        raise ValueError(f"Expected runs with --pruning. Received: {run.path} without.")
    return {
        "runs": [str(run.path)],
        "curve": f"{saved['pruning'].upper()}, {','.join(saved['pruning_rates'])}",
        over: _length(run, saved, over),
        "accuracy": report["accuracy"],
        "half_width": report["interval"],
    }


def _length(run, saved, over):
    dense, sparse, retrain = (saved[f"pruning_{n}"] for n in ("dense", "sparse", "retrain"))
    if over == "dense":
        return dense
    if saved["pruning"] == "dsd":
        if over != "retrain":
            raise ValueError(f"--over={over} is of IHT's intervals. Received: {run.path} of DSD.")
        steps = saved["epochs"] * saved["steps_per_epoch"]
        return 0 if retrain == 0 else steps - dense - sparse
    interval = sparse + retrain
    return {"retrain": retrain, "ratio": 100 * sparse / interval, "interval": interval}[over]
