"""Experiments for tests, made of flags as those of `launch.train` are."""

import functools

from absl import flags
from absl.testing import flagsaver

from launch import recipe_flags, recipes, settings


@functools.cache
def define():
    """Defines the flags of `launch.train`, once in a process."""
    if "learner" not in flags.FLAGS:
        settings.define()
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["test"])


def values(**changes):
    """Returns the flags of a run: the quickstart's, unless changed.

    Args:
        **changes: flags and their values, lists of numbers as text.
    """
    define()
    with flagsaver.flagsaver():
        for name in settings.names():
            flags.FLAGS[name].unparse()
        for name, value in changes.items():
            flag = flags.FLAGS[name]
            flag.value, flag.present, flag.using_default_value = value, 1, False
        recipe_flags.lay_under(recipes.QUICKSTART)
        return settings.as_dictionary()


def make(**changes):
    """Makes an experiment of the flags of `values`.

    Args:
        **changes: flags and their values, lists of numbers as text.
    """
    return settings.experiment(values(**changes))
