"""Meta-gradients against finite differences in float64."""

from launch.analyses import result
from tfmgaug import analysis


def analyze(runs, *, episodes: int = 2, **check):
    """Checks every run's learner, converted to float64, on a small batch of tasks.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        episodes: int >= 2, how many tasks.
        **check: of `tfmgaug.analysis.check_gradients`.

    Returns:
        A `Result`.
    """
    checks = [
        analysis.check_gradients(
            analysis.in_float64(run.learner),
            next(iter(run.sampler.dataset(episodes=episodes).take(1))),
            steps=None,
            **check,
        )
        for run in runs
    ]
    text = "\n".join(f"{run.name}: {checked}" for run, checked in zip(runs, checks))
    results = [
        {"run": str(run.path), "name": run.name, **checked.to_json()}
        for run, checked in zip(runs, checks)
    ]
    return result.Result(text, results)
