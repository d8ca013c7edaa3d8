"""The flags --output and --overwrite of commands that write one file of results."""

import pathlib

from absl import flags

from tfmgaug.files import check_writable


def define(what):
    """Defines the flags.

    Args:
        what: what the file holds, for the help text.
    """
    flags.DEFINE_string("output", None, f"JSON file for {what}.")
    flags.DEFINE_boolean("overwrite", False, "Replace --output if it exists.")


def path(options):
    """Returns where to write, before anything is computed.

    Args:
        options: absl flags.

    Returns:
        A path, or None if the results are to be printed only.

    Raises:
        FileExistsError: the file exists and is not to be replaced.
        OSError: it could not be written.
    """
    output = options.output and pathlib.Path(options.output)
    if output and output.exists() and not options.overwrite:
        raise FileExistsError(f"{output} exists: choose another, or pass --overwrite.")
    if output:
        check_writable(output)
    return output
