"""Accuracy per inner step, of the full network and of sub-networks (Figure 4)."""

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
        **measurement: of `tfmgaug.analysis.memorization`.

    Returns:
        A `Result`.
    """
    reports = averaged(
        analysis.memorization(
            run.learner, run.sampler, mask, name=name, progress=result.counted(name), **measurement
        )
        for run, mask, name in result.pruned(runs, masks)
    )
    return result.of_reports(reports, figures.hat_graph(*reports))
