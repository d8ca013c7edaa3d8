"""Exports the learner of a run: as a SavedModel that adapts itself, or as a ticket file.

python -m launch.export --run=runs/a --path=model
python -m launch.export --run=runs/a --path=a.ticket --format=ticket
"""

from absl import flags

from launch import command
from launch.constructor_flags import choices
from launch.given_flags import present, read_with, refuse_idle

GROUPS = {"Flags": ("run", "path", "format", "statistics", "overwrite")}
READ_WITH = {"statistics": read_with(format=("saved_model",))}  # who loads a ticket chooses

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
    choices("statistics"),
    "Batch-statistics mode of the SavedModel; support by default.",
)
flags.DEFINE_boolean("overwrite", False, "Replace what an earlier export left in --path.")
flags.mark_flags_as_required(["run", "path"])


def check(options):
    """Refuses flags that nothing reads.

    Args:
        options: absl flags.

    Raises:
        ValueError: there are some.
    """
    refuse_idle(options, present(READ_WITH), READ_WITH)


main = command.main(command.job("launch.jobs.export"), check)

if __name__ == "__main__":
    command.run(main, GROUPS)
