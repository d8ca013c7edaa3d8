"""Analyzes trained runs: the behavior figures of the papers, as PNG and JSON.

python -m launch.analyze hat --runs=runs/a,runs/b

Data and shape of tasks are each run's own, from its flags.json, unless flags say otherwise. A run
that was trained with --nomutually_exclusive is looked at on such tasks; what it knows by heart are
labels of training classes, which --test_classes=train shows.

"""

from absl import flags

from launch import analysis_flags, command, data_flags

GROUPS = {
    "Runs": ("runs", "names"),
    "Output": ("output_dir", "overwrite"),
    "Tasks": ("episodes", "query", "test_classes"),
    "Networks": ("masks", "rates", "statistics"),
}

__doc__ += analysis_flags.listing()  # which --help shows
data_flags.define()
analysis_flags.define()
for family in (data_flags, analysis_flags):
    flags.adopt_module_key_flags(family)  # --helpshort lists them
flags.mark_flag_as_required("runs")
main = command.main(command.job("launch.jobs.analyze"), analysis_flags.check, words=True)

if __name__ == "__main__":
    command.run(main, GROUPS)
