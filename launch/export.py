"""Exports the learner of a run: as a SavedModel that adapts itself, or as a ticket file.

python -m launch.export --run=runs/a --path=model
python -m launch.export --run=runs/a --path=a.ticket --format=ticket
"""

import pathlib

from absl import app, flags, logging

from launch import errors, loading
from tfmgaug import batch_statistics, export, tickets

flags.DEFINE_string("run", None, "Run directory, or .keras file of a learner.")
flags.DEFINE_string("path", None, "Where to write.")
flags.DEFINE_enum(
    "format",
    "saved_model",
    ["saved_model", "ticket"],
    "A SavedModel, or the seed and masks of a Meta-ticket: see tfmgaug.tickets.",
)
flags.DEFINE_enum(
    "statistics",
    None,
    batch_statistics.MODES,
    "Batch-statistics mode of the SavedModel; support by default.",
)
flags.DEFINE_boolean("overwrite", False, "Replace what an earlier export left in --path.")
flags.mark_flags_as_required(["run", "path"])


@errors.plainly
def main(_):
    """Exports with the flags."""
    logging.set_verbosity(logging.WARNING)
    options = flags.FLAGS
    learner = loading.load_learner(options.run)
    if options.format == "ticket":
        _write_ticket(options, learner)
        return
    statistics = options.statistics or "support"
    path = export(learner, options.path, statistics, overwrite=options.overwrite)
    print(f"SavedModel  {path}/ (statistics: {statistics})")


def _write_ticket(options, learner):
    if options.statistics is not None:
        raise ValueError(
            "A ticket has no batch-statistics mode: who loads it chooses. "
            f"Received: --statistics={options.statistics} --format=ticket."
        )
    if pathlib.Path(options.path).exists() and not options.overwrite:
        raise FileExistsError(f"{options.path} exists. Choose another path, or pass --overwrite.")
    path = tickets.save(learner, options.path)
    dense = 4 * learner.backbone.count_params() / path.stat().st_size
    print(f"ticket  {path} ({dense:.1f} times smaller than its weights in float32)")


if __name__ == "__main__":
    app.run(main)
