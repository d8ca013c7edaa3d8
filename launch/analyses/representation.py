"""CKA of features before and after adaptation, stage by stage."""

from launch.analyses import result
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures


def analyze(runs, **measurement):
    """Measures every run, and draws all in one panel; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        **measurement: of `tfmgaug.analysis.representation_change`.

    Returns:
        A `Result`.
    """
    reports = averaged(
        analysis.representation_change(
            run.learner,
            run.sampler,
            name=run.name,
            progress=result.counted(run.name),
            **measurement,
        )
        for run in runs
    )
    return result.Result(
        "\n".join(map(_line, reports)),
        [report.to_json() for report in reports],
        figures.representation_profile(*reports),
    )


def _line(report):
    summaries = [(layer, report.summary("cka", layer)) for layer in report.layers]
    stages = ", ".join(f"{layer} {cka.mean:.3f} ± {cka.interval:.3f}" for layer, cka in summaries)
    return (
        f"{report.name}: CKA before and after adaptation {stages} "
        f"({report.tasks} tasks of {report.dataset}, {report.statistics} statistics)"
    )
