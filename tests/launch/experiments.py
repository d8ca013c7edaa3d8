"""Experiments for tests, made of flags as those of `launch.train` are."""

import functools

from absl import flags

from launch import settings


@functools.cache
def _define():
    if "learner" not in flags.FLAGS:
        settings.define()
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["test"])


def make(**changes):
    """Makes an experiment: the quickstart's, unless changed.

    Args:
        **changes: flags and their values, lists of numbers as text.
    """
    _define()
    unknown = set(changes) - set(settings.names())
    assert not unknown, unknown
    values = {**settings.defaults(), **changes}
    if "filters" not in changes:
        values["filters"] = None
    return settings.experiment(values)
