"""Trains, evaluates, draws and exports a few-shot learner: the main job.

Everything it writes is in one directory. The same command with --resume goes on where a stopped run
left off, and ends with the same weights.

Example:
    python -m launch.train --data=glyphs --run_dir=runs/first
"""

from absl import flags

from launch import command, settings
from launch.given_flags import present

GROUPS = {
    "Data": ("data", "data_dir", "image_size"),
    "Tasks": ("way", "shot"),
    "Learner": ("learner", "mask"),
    "The run": ("epochs", "run_dir", "resume"),
}

settings.define()
flags.adopt_module_key_flags(settings)  # --helpshort lists them


def check(options):
    """Refuses flags that don't fit together.

    Args:
        options: absl flags.

    Raises:
        ValueError: they say why.
    """
    settings.check(options, present(settings.names()))


main = command.main(command.job("launch.jobs.train"), check)

if __name__ == "__main__":
    command.run(main, GROUPS)
