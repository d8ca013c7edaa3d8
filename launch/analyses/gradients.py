"""The proof of a run's meta-gradients: finite differences in float64."""

from launch.analyses import result
from tfmgaug import analysis


def analyze(runs, options):
    """Checks every run's learner, converted to float64, on a small batch of tasks.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        options: absl flags.

    Returns:
        A `Result`.
    """
    found = [_check(run, options) for run in runs]
    text = "\n".join(f"{run.name}: {one}" for run, one in zip(runs, found))
    results = [
        {"run": str(run.path), "name": run.name, **one.to_json()} for run, one in zip(runs, found)
    ]
    return result.Result(text, results)


def _check(run, options):
    batch = next(iter(run.sampler.dataset(episodes=options.episodes or 2).take(1)))
    learner = analysis.in_float64(run.learner)
    return analysis.check_gradients(learner, batch, options.directions, seed=options.seed)
