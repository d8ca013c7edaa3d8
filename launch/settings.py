"""The flags of a training run, of all families."""

from absl import flags

from launch import (
    cavia_flags,
    data_flags,
    landscape_flags,
    learner_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    mgaug_flags,
    optimizer_flags,
    pruning_flags,
    regularizer_flags,
    reptile_flags,
    training_flags,
)
from launch.given_flags import refuse_idle

_FAMILIES = (
    learner_flags,
    data_flags,
    cavia_flags,
    landscape_flags,
    meta_ticket_flags,
    metaoptnet_flags,
    optimizer_flags,
    pruning_flags,
    regularizer_flags,
    reptile_flags,
    mgaug_flags,
    training_flags,
)
# What each flag is read with; those that are in no table always are.
READ_WITH = {name: how for family in _FAMILIES for name, how in family.READ_WITH.items()}
# What a run can be resumed with although it was started with something else.
_FREE_ON_RESUME = ("cache_dir", "overwrite", "parallel_tasks", "recipe", "resume", "run_dir")


def define():
    """Defines the flags of `launch.train`."""
    for family in _FAMILIES:
        family.define()
        flags.adopt_module_key_flags(family)


def check(settings, names):
    """Refuses what flags alone show to be wrong, before anything is imported or loaded.

    Args:
        settings: absl flags.
        names: names of the flags that were given.

    Raises:
        ValueError: nothing reads a flag, or flags do not fit together.
    """
    refuse_idle(settings, names, READ_WITH)
    for family in _FAMILIES:
        if hasattr(family, "check"):
            family.check(settings)


def names():
    """Returns the names of the flags that `define` defined."""
    defined = flags.FLAGS.flags_by_module_dict()
    modules = [family.__name__ for family in _FAMILIES]
    return sorted(flag.name for module in modules for flag in defined.get(module, ()))


def as_dictionary():
    """Returns the settings as a dictionary that JSON can hold, all defaults filled in."""
    values = {name: flags.FLAGS[name].value for name in names()}
    if "filters" in values:
        values["filters"] = learner_flags.filters(flags.FLAGS)
    return values


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
        if name not in _FREE_ON_RESUME and now.get(name) != saved.get(name)
    ]
