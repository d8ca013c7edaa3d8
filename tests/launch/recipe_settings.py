"""The settings that `launch.train` resolves from recipes."""

import contextlib
import functools

from absl import flags
from absl.testing import flagsaver

from launch import recipe_flags, settings
from launch.reproduction import composition
from tests.launch.experiments import define


@functools.cache
def resolve(recipe, size="full"):
    """Returns all settings of a run of a recipe."""
    define()
    return composition.resolve([], recipe.of(size)[1])


@contextlib.contextmanager
def laid(recipe, *given):
    """Lays a recipe's settings under flags that are given."""
    define()
    with flagsaver.flagsaver():
        for name in settings.names():
            flags.FLAGS[name].unparse()
        flags.FLAGS(["test", *given])
        recipe_flags.lay_under(recipe)
        yield flags.FLAGS
