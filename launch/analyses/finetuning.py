"""Accuracy over more steps, and from a random initialization (Figure 5)."""

from typing import Literal

from launch.analyses import result
from launch.analyses.seeds import averaged
from tfmgaug import analysis, figures


def analyze(
    runs, *, masks: list[Literal["catfish", "parameter", "width"]] | None = None, **measurement
):
    """Measures every run with every mask, a panel each; runs of one name are averaged.

    Args:
        runs: list of `launch.analyses.runs.Run`.
        masks: how networks are pruned; None: as in training. Each has a panel.
        **measurement: of `tfmgaug.analysis.fine_tuning`.

    Returns:
        A `Result`.
    """
    reports = averaged(
        analysis.fine_tuning(
            run.learner, run.sampler, mask, name=name, progress=result.counted(name), **measurement
        )
        for run, mask, name in result.pruned(runs, masks)
    )
    return result.of_reports(reports, figures.fine_tuning_curves(*reports))
