"""Exports the learner of a run as a SavedModel that adapts itself.

python -m launch.export --run=runs/a --path=model
"""

from absl import app, flags, logging

from launch import errors, loading
from tfmgaug import batch_statistics, export

flags.DEFINE_string("run", None, "Run directory, or .keras file of a learner.")
flags.DEFINE_string("path", None, "Where to write the SavedModel.")
flags.DEFINE_enum("statistics", "support", batch_statistics.MODES, "Batch-statistics mode.")
flags.DEFINE_boolean("overwrite", False, "Replace a SavedModel in --path.")
flags.mark_flags_as_required(["run", "path"])


@errors.plainly
def main(_):
    """Exports with the flags."""
    logging.set_verbosity(logging.WARNING)
    options = flags.FLAGS
    learner = loading.load_learner(options.run)
    path = export(learner, options.path, options.statistics, overwrite=options.overwrite)
    print(f"SavedModel  {path}/ (statistics: {options.statistics})")


if __name__ == "__main__":
    app.run(main)
