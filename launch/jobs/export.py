"""The export of a run's learner."""

import pathlib
from typing import Literal

from launch import loading
from launch.signatures import read
from tfmgaug import export, tickets


def run(
    run: str,
    path: str,
    format: Literal["saved_model", "ticket"] = "saved_model",
    statistics: str | None = None,
    overwrite: bool = False,
):
    """Exports the learner of a run.

    Args:
        run: run directory, or .keras file of a learner.
        path: where to write.
        format: a SavedModel, or the seed and masks of a Meta-ticket: see tfmgaug.tickets.
        statistics: batch-statistics mode of the SavedModel; support by default.
        overwrite: replace what an earlier export left in --path.

    Raises:
        FileExistsError: the path exists and is not to be replaced.
        FileNotFoundError: the run has not finished, or there is none.
    """
    learner = loading.load_learner(run)
    if format == "ticket":
        _write_ticket(learner, path, overwrite)
        return
    statistics = statistics or read("tfmgaug.export").arguments["statistics"].default
    written = export(learner, path, statistics, overwrite=overwrite)
    print(f"SavedModel  {written}/ (statistics: {statistics})")


def _write_ticket(learner, path, overwrite):
    if pathlib.Path(path).exists() and not overwrite:
        raise FileExistsError(f"{path} exists. Choose another path, or pass --overwrite.")
    written = tickets.save(learner, path)
    dense = 4 * learner.backbone.count_params() / written.stat().st_size
    print(f"ticket  {written} ({dense:.1f} times smaller than its weights in float32)")
