"""Users' errors reported in one line, without a stack trace."""

import functools
import sys
import warnings

from absl import flags

_format = warnings.formatwarning

INTERRUPTED = 130  # what shells report for Ctrl-C

flags.DEFINE_boolean("traceback", False, "Show where an error came from.")


def plainly(main):
    """Wraps a command so that errors about its input end it with one line and status 1.

    Args:
        main: function of the remaining arguments.

    Returns:
        The wrapped function.
    """

    @functools.wraps(main)
    def wrapped(arguments):
        warnings.formatwarning = _plain
        try:
            return main(arguments)
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            if flags.FLAGS.traceback:
                raise
            sys.exit(f"Error: {error}\n(--traceback shows where it came from.)")

    return wrapped


def _plain(message, category, *arguments, **options):
    """Formats a warning; one about the user's data is shown without its place in the source."""
    if category is UserWarning:
        return f"Warning: {message}\n"
    return _format(message, category, *arguments, **options)
