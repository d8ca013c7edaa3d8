"""The frame of all commands: help, the check of flags, the work, and errors in one line."""

import importlib
import sys

from absl import app, flags, logging

from launch import constructor_flags, earlier, environment, errors, help_flags, progress

_HELP = "(--help shows the flags that most people need.)"


def job(module):
    """Returns the work of a command, which is imported when it is called.

    Args:
        module: name of a module with a function `run`.

    Returns:
        A function that imports TensorFlow, then the module, and calls `run`.
    """

    def run(*arguments):
        environment.import_tensorflow()
        importlib.import_module("tfmgaug")  # first: it refuses Keras on another backend
        return importlib.import_module(module).run(*arguments)

    return run


def function(path, **made):
    """Returns the work of a command that is a function whose arguments are flags.

    Args:
        path: dotted path of the function, which is imported when it is called.
        **made: functions of the flags, which make those of its arguments that are no flags.

    Returns:
        A function of the flags that imports TensorFlow, then the module, and calls the function.
    """
    module, _, name = path.rpartition(".")

    def run(options):
        arguments = {argument: make(options) for argument, make in made.items()}
        environment.import_tensorflow()
        importlib.import_module("tfmgaug")  # first: it refuses Keras on another backend
        work = getattr(importlib.import_module(module), name)
        return work(**{**constructor_flags.fields(path, options), **arguments})

    return run


def main(work, check, words=False):
    """Makes the main function of a command.

    Args:
        work: function of the flags; with `words`, of the flags and the words that are left.
        check: function of the same, which raises a ValueError where they don't fit.
        words: whether the command takes words beside flags.

    Returns:
        A function of the remaining arguments, for `run`.
    """

    @errors.plainly
    def command(arguments):
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)
        if arguments[1:] and not words:
            raise ValueError(f"Expected flags only. Received: {' '.join(arguments[1:])}.")
        received = (flags.FLAGS, *([arguments[1:]] if words else ()))
        check(*received)
        with progress.pulse():
            return work(*received)

    return command


def run(command, groups):
    """Runs a command.

    Args:
        command: of `main`.
        groups: dictionary from headings to the names of the flags that --help shows below each.
    """
    help_flags.define(groups)
    app.run(command, flags_parser=_parse)


def _parse(arguments):
    try:
        return flags.FLAGS(arguments)
    except flags.UnrecognizedFlagError as error:
        successor = earlier.successor(error.flagname)
        if successor is None or successor.partition("=")[0] not in flags.FLAGS:
            sys.exit(f"Error: {error}\n{_HELP}")
        sys.exit(f"Error: --{error.flagname} is called --{successor} now.")
    except flags.Error as error:
        sys.exit(f"Error: {error}\n{_HELP}")
