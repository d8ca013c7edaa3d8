"""The analyses of `launch.analyze`, and the flags of each beside those of the data."""

from absl import flags

from launch import data_flags, number_flags, settings
from launch.constructor_flags import choices
from launch.given_flags import read_with, refuse_idle
from launch.registry import MASKED

# What each analysis reads; the name is that of a module of `launch.analyses`.
ANALYSES = {
    "attention": ("masks", "queries", "rates", "seed", "stage", "statistics", "target", "task"),
    "bound": ("delta", "divergence", "episodes", "masks", "rates", "samples", "seed", "statistics"),
    "capacity": ("bound_of_loss", "delta", "lipschitz", "smoothness"),
    "curves": (),
    "finetuning": ("episodes", "masks", "rates", "seed", "statistics", "steps"),
    "gap": (),
    "gradient_norms": ("episodes", "layer"),
    "gradients": ("directions", "episodes", "seed"),
    "hat": ("episodes", "masks", "rates", "seed", "statistics"),
    "importance": ("episodes", "layer", "rates"),
    "input_masks": ("units",),
    "landscape": ("episodes", "plot", "seed", "statistics", "steps"),
    "representation": ("episodes", "statistics"),
    "sensitivity": ("over",),
    "sparsity": (),
    "widths": (),
}
# These read what runs left behind, and look at no task.
_WITHOUT_TASKS = ("capacity", "curves", "gap", "input_masks", "sensitivity", "sparsity", "widths")
_ALWAYS = ("names", "output_dir", "overwrite", "runs")
# Evaluation's number of tasks, which a run's flags bring along; analyses take --episodes.
_UNUSED = ("test_episodes",)
PLOTS = ("curves", "correlation", "runs")
AXES = ("dense", "interval", "ratio", "retrain")
# The other plots of the landscape draw what was measured in training.
_MEASURING = ("episodes", "seed", "statistics", "steps")


def define():
    """Defines the flags."""
    flags.DEFINE_list("runs", None, "Run directories.")
    flags.DEFINE_list("names", None, "What figures call the runs. Curves of one name are averaged.")
    flags.DEFINE_string("output_dir", None, "Where to write; <first run>/analysis by default.")
    flags.DEFINE_boolean("overwrite", False, "Replace files of an earlier analysis.")
    flags.DEFINE_integer(
        "episodes", None, "Tasks: 100, for landscape 60, for gradients 2.", lower_bound=2
    )
    flags.DEFINE_list("masks", None, "catfish, parameter, width: a panel each; the run's own.")
    number_flags.define("rates", "Shares pruned.", upper_bound=1)
    flags.DEFINE_enum("statistics", None, choices("statistics"), "Of queries; as in training.")
    flags.DEFINE_integer(
        "seed", 0, "Of random masks, initializations and directions.", lower_bound=0
    )
    flags.DEFINE_integer(
        "steps",
        None,
        "Inner steps, of finetuning four times the run's, of landscape the run's.",
        lower_bound=1,
    )
    flags.DEFINE_enum(
        "plot",
        "curves",
        PLOTS,
        "landscape: what was measured in training, over epochs or against accuracy, or trained "
        "runs.",
    )
    flags.DEFINE_string(
        "layer",
        None,
        "importance: which layer; the last that can be pruned. gradient_norms: which weight over "
        "epochs; the last in front of the classifier.",
    )
    flags.DEFINE_string("stage", None, "attention: of which stage; the last of several positions.")
    flags.DEFINE_integer("task", 0, "attention: which task.", lower_bound=0)
    flags.DEFINE_multi_integer(
        "queries", None, "attention: which queries; the first of each class."
    )
    flags.DEFINE_enum("target", "label", ["label", "prediction"], "attention: the class explained.")
    flags.DEFINE_enum("over", "dense", AXES, "sensitivity: which length.")
    flags.DEFINE_float("lipschitz", 1.0, "capacity: G, of the loss.")
    flags.DEFINE_float("smoothness", 1.0, "capacity: H, of the loss.")
    flags.DEFINE_float("bound_of_loss", 1.0, "capacity: B.")
    flags.DEFINE_float("delta", 0.05, "bound, capacity: it fails with this probability at most.")
    flags.DEFINE_float("divergence", None, "bound: D(Q||P); |w|^2 / 2.", lower_bound=0)
    flags.DEFINE_integer("samples", None, "bound: of a task; its queries.", lower_bound=2)
    flags.DEFINE_integer("directions", 5, "gradients: random directions.", lower_bound=1)
    flags.DEFINE_integer("units", 20, "input_masks: how many units are drawn.", lower_bound=1)


def check(options, words):
    """Refuses flags that the analysis would pass over.

    Args:
        options: absl flags.
        words: list of the words beside flags, the name of an analysis.

    Raises:
        ValueError: there are some, or no such analysis.
    """
    if len(words) != 1 or words[0] not in ANALYSES:
        raise ValueError(
            f"Expected one of {', '.join(ANALYSES)}: python -m launch.analyze hat --runs=... "
            f"Received: {' '.join(words) or 'none'}."
        )
    name = words[0]
    _refuse_others(name, options)
    unknown = sorted(set(options.masks or ()) - set(MASKED))
    if unknown:
        raise ValueError(f"--masks must be of {', '.join(MASKED)}. Received: {', '.join(unknown)}.")
    if name == "landscape":
        measuring = (*_MEASURING, *settings.names())
        tables = dict.fromkeys(measuring, read_with(plot=("runs",)))
        refuse_idle(options, [n for n in measuring if options[n].present], tables)


def _refuse_others(name, options):
    used = {*_ALWAYS, *ANALYSES[name]}
    data = set() if name in _WITHOUT_TASKS else set(settings.names()) - set(_UNUSED)
    defined = options.flags_by_module_dict()
    modules = (data_flags.__name__, __name__)
    known = {flag.name for module in modules for flag in defined[module]}
    idle = [n for n in sorted(known) if options[n].present and n not in used | data]
    if idle:
        raise ValueError(
            f"{', '.join('--' + n for n in idle)} has no meaning for `{name}`, which takes "
            f"{', '.join('--' + n for n in sorted(used))}"
            f"{' and the flags of the data' if data else ''}."
        )
