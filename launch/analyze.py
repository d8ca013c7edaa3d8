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

import pathlib

from absl import app, flags, logging

from launch import data_flags, devices, errors, settings
from launch.analyses import (
    attention,
    bound,
    capacity,
    curves,
    finetuning,
    gap,
    gradient_norms,
    gradients,
    hat,
    importance,
    input_masks,
    landscape,
    representation,
    sensitivity,
    sparsity,
    widths,
)
from launch.analyses import runs as analyzed
from tfmgaug import batch_statistics, figures
from tfmgaug.files import write_json

ANALYSES = {
    "attention": attention,
    "bound": bound,
    "capacity": capacity,
    "curves": curves,
    "finetuning": finetuning,
    "gap": gap,
    "gradient_norms": gradient_norms,
    "gradients": gradients,
    "hat": hat,
    "importance": importance,
    "input_masks": input_masks,
    "landscape": landscape,
    "representation": representation,
    "sensitivity": sensitivity,
    "sparsity": sparsity,
    "widths": widths,
}
# These read what runs left behind, and look at no task.
_WITHOUT_TASKS = ("capacity", "curves", "gap", "input_masks", "sensitivity", "sparsity", "widths")
_ALWAYS = ("names", "output_dir", "overwrite", "runs")
# Evaluation's number of tasks, which a run's flags bring along; analyses take --episodes.
_UNUSED = ("test_episodes",)
_SIDE_BY_SIDE = 20  # tasks in a batch of evaluation

data_flags.define()
flags.adopt_module_key_flags(data_flags)  # --helpshort lists them
flags.DEFINE_list("runs", None, "Run directories.")
flags.DEFINE_list("names", None, "What figures call the runs. Curves of one name are averaged.")
flags.DEFINE_string("output_dir", None, "Where to write; <first run>/analysis by default.")
flags.DEFINE_boolean("overwrite", False, "Replace files of an earlier analysis.")
flags.DEFINE_integer(
    "episodes", None, "Tasks: 100, for landscape 60, for gradients 2.", lower_bound=2
)
flags.DEFINE_list("masks", None, "catfish, parameter, width: a panel each; the run's own.")
flags.DEFINE_list("rates", None, "Shares pruned.")
flags.DEFINE_enum("statistics", None, batch_statistics.MODES, "Of queries; as in training.")
flags.DEFINE_integer("seed", 0, "Of random masks, initializations and directions.", lower_bound=0)
flags.DEFINE_integer(
    "steps",
    None,
    "Inner steps, of finetuning four times the run's, of landscape the run's.",
    lower_bound=1,
)
flags.DEFINE_enum(
    "plot",
    "curves",
    landscape.PLOTS,
    "landscape: what was measured in training over epochs or against accuracy, or trained runs.",
)
flags.DEFINE_string(
    "layer",
    None,
    "importance: which layer; the last that can be pruned. gradient_norms: which weight over "
    "epochs; the last in front of the classifier.",
)
flags.DEFINE_string("stage", None, "attention: of which stage; the last of several positions.")
flags.DEFINE_integer("task", 0, "attention: which task.", lower_bound=0)
flags.DEFINE_multi_integer("queries", None, "attention: which queries; the first of each class.")
flags.DEFINE_enum("target", "label", ["label", "prediction"], "attention: the class explained.")
flags.DEFINE_enum("over", "dense", sorted(sensitivity.AXES), "sensitivity: which length.")
flags.DEFINE_float("lipschitz", 1.0, "capacity: G, of the loss.")
flags.DEFINE_float("smoothness", 1.0, "capacity: H, of the loss.")
flags.DEFINE_float("bound_of_loss", 1.0, "capacity: B.")
flags.DEFINE_float("delta", 0.05, "bound, capacity: it fails with this probability at most.")
flags.DEFINE_float("divergence", None, "bound: D(Q||P); |w|^2 / 2.", lower_bound=0)
flags.DEFINE_integer("samples", None, "bound: of a task; its queries.", lower_bound=2)
flags.DEFINE_integer("directions", 5, "gradients: random directions.", lower_bound=1)
flags.DEFINE_integer("units", 20, "input_masks: how many units are drawn.", lower_bound=1)
flags.mark_flag_as_required("runs")


def main(arguments):
    """Runs the analysis that the first argument names."""
    # What `plainly` gets has no words left: it refuses them.
    errors.plainly(lambda _: _run(arguments[1:]))(arguments[:1])


def _run(words):
    logging.set_verbosity(logging.WARNING)
    options = flags.FLAGS
    if len(words) != 1 or words[0] not in ANALYSES:
        raise ValueError(
            f"Expected one of {', '.join(ANALYSES)}: python -m launch.analyze hat --runs=... "
            f"Received: {' '.join(words) or 'none'}."
        )
    what = words[0]
    analysis = ANALYSES[what]
    _refuse_idle_flags(what, analysis.FLAGS, options)
    runs = analyzed.load(options)
    files = _files(what, runs, options)
    devices.set_threads(0, _SIDE_BY_SIDE)
    found = analysis.analyze(runs, options)
    print(f"{found.text}\n")
    write_json(
        files["json"],
        {"analysis": what, "runs": [str(run.path) for run in runs], "results": found.results},
    )
    if found.figure is not None:
        figures.save(found.figure, files["png"])
        print(f"figure  {files['png']}")
    print(f"data    {files['json']}")


def _refuse_idle_flags(what, used, options):
    """Refuses flags that this analysis would pass over."""
    data = set() if what in _WITHOUT_TASKS else set(settings.names()) - set(_UNUSED)
    own = {flag.name for flag in options.flags_by_module_dict()[_module()]}
    idle = [
        name
        for name in sorted(own | set(settings.names()))
        if options[name].present and name not in {*_ALWAYS, *used, *data}
    ]
    if idle:
        raise ValueError(
            f"{', '.join('--' + name for name in idle)} has no meaning for `{what}`, which takes "
            f"{', '.join('--' + name for name in sorted({*_ALWAYS, *used}))}"
            f"{' and the flags of the data' if data else ''}."
        )


def _module():
    """The name that absl knows this module's flags by."""
    return flags.FLAGS.find_module_defining_flag("directions")


def _files(what, runs, options):
    folder = pathlib.Path(options.output_dir or runs[0].path / "analysis")
    files = {kind: folder / f"{what}.{kind}" for kind in ("json", "png")}
    existing = [str(file) for file in files.values() if file.exists()]
    if existing and not options.overwrite:
        raise FileExistsError(
            f"{' and '.join(existing)} exist: choose another --output_dir, or pass --overwrite."
        )
    return files


if __name__ == "__main__":
    app.run(main)
