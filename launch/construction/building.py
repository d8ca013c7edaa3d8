"""The construction of objects from the parts of an experiment."""

import importlib

from launch.experiment import Part


def build(part, *arguments, **supplied):
    """Builds what a part describes.

    Args:
        part: `launch.experiment.Part`, or None.
        *arguments: of its constructor, in front of its own.
        **supplied: further arguments of its constructor.

    Returns:
        The object; None of None.
    """
    if part is None:
        return None
    described = {name: _built(value) for name, value in part.arguments.items()}
    return constructor_of(part.constructor)(*arguments, **described, **supplied)


def constructor_of(path):
    """Imports a constructor.

    Args:
        path: dotted path of a class or function.

    Returns:
        The class or function.
    """
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _built(value):
    return build(value) if isinstance(value, Part) else value
