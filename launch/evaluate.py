"""Evaluates saved runs on frozen episodes, of their own data set or of others.

Several runs meet the same episodes and are compared pair by pair. With --datasets they meet those
of several data sets, resized to the images of the run, in one table. Of a folder that they were not
trained on, all classes are test classes, unless it holds train/, validation/ and test/, or test/
alone.

Example:
    python -m launch.evaluate --runs=runs/a,runs/b --data=omniglot
    python -m launch.evaluate --runs=runs/a --datasets=cifar_fs,folder:/path/to/photos --shot=5
"""

from absl import flags

from launch import command, data_flags, evaluation_flags

GROUPS = {
    "Runs": ("runs", "output"),
    "Data": ("data", "data_dir", "datasets"),
    "Tasks": ("way", "shot", "query", "test_episodes"),
    "Evaluation": ("statistics",),
}

data_flags.define()
evaluation_flags.define()
for family in (data_flags, evaluation_flags):
    flags.adopt_module_key_flags(family)  # --helpshort lists them
main = command.main(
    command.function(evaluation_flags.WORK, data=data_flags.data), evaluation_flags.check
)

if __name__ == "__main__":
    command.run(main, GROUPS)
