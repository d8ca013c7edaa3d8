"""The flags of a training run: of its data, of its training, and of all that it is made of."""

import types

from absl import flags

from launch import channels, checks, constructor_flags, data_flags, earlier
from launch.experiment_of_flags import experiment
from launch.given_flags import GIVEN, Switch, read_with, refuse_idle
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
    "image_crop": (*read_with(augment_images=GIVEN), _OF_IMAGES),
    "batch_size": read_with(learner=("fine_tuning",)),
    "train_way": read_with(learner=_EMBEDDING),
    "mgaug_from_epoch": read_with(mask=MASKED),
    "regularize_subnetworks": read_with(regularizers=GIVEN, mask=MASKED),
}
# What a run can be resumed with although it was started with something else.
_FREE_ON_RESUME = ("cache_dir", "overwrite", "parallel_tasks", "recipe", "resume", "run_dir")


def define():
    """Defines the flags of `launch.train`."""
    data_flags.define()
    flags.adopt_module_key_flags(data_flags)
    constructor_flags.define_fields("launch.experiment.Training")
    constructor_flags.define()
    constructor_flags.define_fields("launch.experiment.Destination")


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
    return completed({name: flags.FLAGS[name].value for name in names()})


def completed(values):
    """Fills in the defaults that None stands for.

    Args:
        values: dictionary of the flags of a run, in which None may stand for a default.

    Returns:
        A dictionary of the same flags.
    """
    values = constructor_flags.completed(values)
    defined = ((name, flags.FLAGS[name].default) for name in values if name in flags.FLAGS)
    values |= {name: default for name, default in defined if values[name] is None}
    return {**values, "filters": channels.recorded(values)} if "filters" in values else values


def reads(values, name):
    """Whether a run reads a flag.

    Args:
        values: dictionary of the flags of the run, of which an earlier version has fewer.
        name: of the flag.
    """
    switches = [switch for switch in READ_WITH.get(name, ()) if switch.flag in values]
    return all(switch.is_on(types.SimpleNamespace(**values)) for switch in switches)


def differences(saved):
    """Compares the flags with those of a run that is resumed.

    Args:
        saved: dictionary, from `as_dictionary` of the earlier run.

    Returns:
        Lines of text, one for each flag that must not differ but does.
    """
    now = as_dictionary()
    before = completed({**dict.fromkeys(now), **earlier.flags(saved)})
    return [
        f"--{name}={now.get(name)} (the run was started with {before[name]})"
        for name in sorted(before)
        if name not in _FREE_ON_RESUME
        and now.get(name) != before[name]
        and (reads(now, name) or reads(before, name))
    ]
