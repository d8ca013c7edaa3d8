"""Accuracy against the width factor of an MLP (Figure 3)."""

from launch.analyses import result
from tfmgaug import figures
from tfmgaug.evaluation.intervals import described
from tfmgaug.evaluation.summary import summarize

# What runs in one figure must share.
_SHARED = ("data", "way", "shot", "query", "hidden", "data_seed", "test_episodes", "test_classes")
_NAMES = {"anil": "ANIL", "boil": "BOIL", "fomaml": "FOMAML", "maml": "MAML"}
_NAMES |= {"meta_ticket": "Meta-ticket", "meta_ticket_boil": "Meta-ticket + BOIL"}
_NAMES |= {"cavia": "CAVIA", "fine_tuning": "fine-tuning", "metaoptnet": "MetaOptNet"}
_NAMES |= {"protonet": "ProtoNet", "reptile": "Reptile"}


def analyze(runs):
    """Collects the test accuracies of finished runs: a line a name, a point a width.

    Runs that have no name are called after their learners. Seeds of one point are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.

    Returns:
        A `Result`.

    Raises:
        ValueError: runs can't be in one figure.
    """
    _check(runs)
    points = {}
    for run in runs:
        name = run.name if run.is_named else _name(run)
        by_seed = points.setdefault(name, {}).setdefault(_width(run), {})
        if run.saved["seed"] in by_seed:
            raise ValueError(
                f"Expected one run of each seed. Received: two of seed {run.saved['seed']} for "
                f"{name!r} of width factor {_width(run):g}. Tell runs apart by --names."
            )
        by_seed[run.saved["seed"]] = run
    results = [
        _point(name, width, by_seed)
        for name, widths in points.items()
        for width, by_seed in sorted(widths.items())
    ]
    accuracies = {}
    for point in results:
        accuracies.setdefault(point["name"], {})[point["width_factor"]] = point["accuracies"]
    saved = runs[0].saved
    title = f"{runs[0].report['dataset']}, {saved['way']}-way {saved['shot']}-shot"
    return result.Result(
        "\n".join(map(_line, results)),
        results,
        figures.accuracy_against_width(accuracies, title, saved["way"]),
    )


def _check(runs):
    for run in runs:
        if run.saved["backbone"] != "mlp" or "accuracy" not in run.report:
            raise ValueError(
                "Expected runs of MLPs that classify: others have no width factor, or no accuracy. "
                f"Received: {run.path}, --backbone={run.saved['backbone']}."
            )
    for name in _SHARED:
        values = {str(run.saved.get(name)) for run in runs}
        if len(values) > 1:
            raise ValueError(
                f"Expected runs that differ in learner, width factor and seed alone. "
                f"Received: --{name} of {' and '.join(sorted(values))}."
            )


def _name(run):
    iterand = " + IteRand" if run.saved.get("iterand_every") else ""
    return f"{_NAMES[run.saved['learner']]}{iterand}"


def _width(run):
    return float(run.saved.get("width_factor") or 1)


def _point(name, width, by_seed):
    reports = {seed: run.report for seed, run in sorted(by_seed.items())}
    accuracies = [report["accuracy"] for report in reports.values()]
    several = summarize(accuracies) if len(accuracies) > 1 else None
    return {
        "name": name,
        "width_factor": width,
        "mean": sum(accuracies) / len(accuracies),
        "interval": several and several.interval,  # over seeds; one alone has none
        "seeds": list(reports),
        "accuracies": accuracies,
        "intervals_over_episodes": [report["interval"] for report in reports.values()],
        "runs": [str(by_seed[seed].path) for seed in reports],
    }


def _line(point):
    count = len(point["seeds"])
    interval = "" if count == 1 else f" ± {100 * point['interval']:.2f}"
    over = "1 seed, no interval" if count == 1 else described(count, "seeds")
    return (
        f"{point['name']}, width factor {point['width_factor']:g}: {100 * point['mean']:.2f}"
        f"{interval} % ({over})"
    )
