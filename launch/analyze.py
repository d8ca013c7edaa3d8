"""Analyzes trained runs: the behavior figures of the papers, as PNG and JSON.

python -m launch.analyze hat --runs=runs/a,runs/b

Of the MGAug paper:
hat             accuracy per inner step, full network and sub-networks (Fig. 4)
finetuning      the same over more steps, and from a random initialization (Fig. 5)
importance      how much memory which weights carry (Fig. 2)
attention       Grad-CAM of full and pruned networks (Fig. 7)
curves          loss and accuracy of several runs over epochs (Figs. 3 and 6)
bound           the PAC-Bayes bound (Theorem 1), on tasks trained on

Of the Meta-ticket paper:
gradient_norms  what tasks ask of each layer, over epochs and when trained (Fig. 2)
widths          accuracy against the MLP's width factor (Fig. 3)
input_masks     what units of the first layer see of an image (Fig. 4)
sparsity        pruned weights of each layer over epochs

Of the network pruning paper:
gap             accuracy on training and test classes (Figs. 1 and 2)
sensitivity     test accuracy over the lengths of phases (Figs. 3 and 4)
capacity        the gap's order in weights kept, against all (Theorem 1)

Of the landscape paper:
landscape       curvature, trajectories and gradients, and what goes along with accuracy

Of any:
representation  CKA of features before and after adaptation, stage by stage
gradients       meta-gradients against finite differences in float64

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

data_flags.define()
analysis_flags.define()
for family in (data_flags, analysis_flags):
    flags.adopt_module_key_flags(family)  # --helpshort lists them
flags.mark_flag_as_required("runs")
main = command.main(command.job("launch.jobs.analyze"), analysis_flags.check, words=True)

if __name__ == "__main__":
    command.run(main, GROUPS)
