"""The export of a run's learner."""

import pathlib

from launch import loading
from tfmgaug import export, tickets


def run(options):
    """Exports with the flags.

    Args:
        options: absl flags of `launch.export`.
    """
    learner = loading.load_learner(options.run)
    if options.format == "ticket":
        _write_ticket(options, learner)
        return
    statistics = options.statistics or "support"
    path = export(learner, options.path, statistics, overwrite=options.overwrite)
    print(f"SavedModel  {path}/ (statistics: {statistics})")


def _write_ticket(options, learner):
    if pathlib.Path(options.path).exists() and not options.overwrite:
        raise FileExistsError(f"{options.path} exists. Choose another path, or pass --overwrite.")
    path = tickets.save(learner, options.path)
    dense = 4 * learner.backbone.count_params() / path.stat().st_size
    print(f"ticket  {path} ({dense:.1f} times smaller than its weights in float32)")
