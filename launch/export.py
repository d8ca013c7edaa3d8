"""Exports the learner of a run: as a SavedModel that adapts itself, or as a ticket file.

python -m launch.export --run=runs/a --path=model
python -m launch.export --run=runs/a --path=a.ticket --format=ticket
"""

from launch import command
from launch.constructor_flags import choices, define_fields
from launch.given_flags import present, read_with, refuse_idle

GROUPS = {"Flags": ("run", "path", "format", "statistics", "overwrite")}
READ_WITH = {"statistics": read_with(format=("saved_model",))}  # who loads a ticket chooses
_WORK = "launch.jobs.export.run"

define_fields(_WORK, {"statistics": choices("statistics")})


def check(options):
    """Refuses flags that nothing reads.

    Args:
        options: absl flags.

    Raises:
        ValueError: there are some.
    """
    refuse_idle(options, present(READ_WITH), READ_WITH)


main = command.main(command.function(_WORK), check)

if __name__ == "__main__":
    command.run(main, GROUPS)
