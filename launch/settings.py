"""The flags of a training run: of its data, of its training, and of all that it is made of."""

from absl import flags

from launch import channels, checks, constructor_flags, data_flags
from launch.experiment_of_flags import experiment
from launch.given_flags import GIVEN, Switch, read_with, refuse_idle
from launch.quickstart import QUICKSTART
from launch.registry import LEARNERS, MASKED

_ADAPTING = constructor_flags.readers("learner", "inner_steps")
_EMBEDDING = tuple(name for name in LEARNERS.rows if name not in _ADAPTING)
_OVER_TASKS = tuple(name for name in LEARNERS.rows if name != "fine_tuning")
_OF_IMAGES = Switch("data", data_flags.IMAGES)
_CONSTRUCTORS = constructor_flags.read_with()
# What each flag is read with; those that are in no table always are.
READ_WITH = {
    **data_flags.READ_WITH,
    **_CONSTRUCTORS,
    "task_augmentation": (*_CONSTRUCTORS["task_augmentation"], _OF_IMAGES),
    **dict.fromkeys(
        ("mutually_exclusive", "train_resolutions"),
        (*read_with(learner=_OVER_TASKS), _OF_IMAGES),
    ),
    **dict.fromkeys(("augment_images", "gap_episodes"), (_OF_IMAGES,)),
    **dict.fromkeys(("tasks", "train_query", "train_shot"), read_with(learner=_OVER_TASKS)),
    **dict.fromkeys(("gradient_norms_every", "test_inner_steps"), read_with(learner=_ADAPTING)),
    "batch_size": read_with(learner=("fine_tuning",)),
    "train_way": read_with(learner=_EMBEDDING),
    "mgaug_from_epoch": read_with(mask=MASKED),
    "regularize_subnetworks": read_with(regularizers=GIVEN, mask=MASKED),
}
# What a run can be resumed with although it was started with something else.
_FREE_ON_RESUME = ("cache_dir", "overwrite", "parallel_tasks", "recipe", "resume", "run_dir")


def define():
    """Defines the flags of `launch.train`, under which the quickstart recipe lies."""
    data_flags.define()
    flags.adopt_module_key_flags(data_flags)
    constructor_flags.define_fields("launch.experiment.Training")
    constructor_flags.define()
    flags.DEFINE_string("run_dir", None, "Where to write; runs/<data>-<learner>-... by default.")
    flags.DEFINE_boolean("overwrite", False, "Replace an earlier run in run_dir.")
    flags.DEFINE_boolean("resume", False, "Go on with the run in run_dir, if there is one.")
    for name, value in QUICKSTART.items():
        flags.FLAGS.set_default(name, value)


def check(settings, names):
    """Refuses what flags alone show to be wrong, before anything is imported or loaded.

    Args:
        settings: absl flags.
        names: names of the flags that were given.

    Raises:
        ValueError: nothing reads a flag, or flags do not fit together.
    """
    refuse_idle(settings, names, READ_WITH)
    checks.check(settings)
    experiment(as_dictionary())


def names():
    """Returns the names of the flags that `define` defined."""
    defined = flags.FLAGS.flags_by_module_dict()
    modules = (__name__, data_flags.__name__)
    return sorted({flag.name for module in modules for flag in defined.get(module, ())})


def as_dictionary():
    """Returns the settings as a dictionary that JSON can hold, all defaults filled in."""
    values = {name: flags.FLAGS[name].value for name in names()}
    if "filters" in values:
        values["filters"] = channels.recorded(values)
    return values


def defaults():
    """Returns the dictionary of `as_dictionary` where no flag is given."""
    values = {name: flags.FLAGS[name].default for name in names()}
    return {**values, "filters": channels.recorded(values)}


def differences(saved):
    """Compares the flags with those of a run that is resumed.

    Args:
        saved: dictionary, from `as_dictionary` of the earlier run.

    Returns:
        Lines of text, one for each flag that must not differ but does.
    """
    now = as_dictionary()
    return [
        f"--{name}={now.get(name)} (the run was started with {saved.get(name)})"
        for name in sorted(set(saved) | set(now))
        if name not in _FREE_ON_RESUME
        and now.get(name) != saved.get(name)
        and not (saved.get(name) is None and is_default(name, now.get(name)))
    ]


def is_default(name, value):
    """Whether a value is a flag's default, which earlier versions recorded as None.

    Args:
        name: of the flag.
        value: of it.
    """
    return name in flags.FLAGS and value == flags.FLAGS[name].default
