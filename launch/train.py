"""Trains, evaluates, draws and exports a few-shot learner: the main job.

Everything it writes is in one directory. The same command with --resume goes on where a stopped run
left off, and ends with the same weights.

Example:
    python -m launch.train --run_dir=runs/first
    python -m launch.train --recipe=photos --data_dir=photos
    python -m launch.train --recipe=mgaug/table1/cub/5-shot/conv4/protonet+cp --seed=1
"""

from absl import flags

from launch import command, recipe_flags, recipes, settings
from launch.given_flags import present

GROUPS = {
    "Where settings come from": ("recipe",),
    "Data": ("data", "data_dir", "image_size"),
    "Tasks": ("way", "shot"),
    "Learner": ("learner", "mask"),
    "The run": ("epochs", "run_dir", "resume"),
}

settings.define()
recipe_flags.define()
flags.adopt_module_key_flags(settings)  # --helpshort lists them


def check(options):
    """Lays the recipe under the flags, and refuses flags that don't fit together.

    Args:
        options: absl flags.

    Raises:
        ValueError: they say why.
    """
    recipe_flags.lay_under(recipes.settings(options.recipe))
    settings.check(options, present(settings.names()))


main = command.main(command.job("launch.jobs.train"), check)

if __name__ == "__main__":
    command.run(main, GROUPS)
