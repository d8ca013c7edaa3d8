"""The flags --output and --overwrite of commands that write one file of results."""

import pathlib

from absl import flags

from launch.given_flags import GIVEN, read_with

READ_WITH = {"overwrite": read_with(output=GIVEN)}


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
        raise FileExistsError(f"{output} exists. Choose another file, or pass --overwrite.")
    if output:
        from tfmgaug.files import check_writable  # imports TensorFlow, which not all commands need

        check_writable(output)
    return output


def write(path, value):
    """Writes the results as JSON, whole or not at all.

    Args:
        path: of `path`.
        value: what `json.dumps` takes.
    """
    from tfmgaug.files import write_json  # imports TensorFlow, which not all commands need

    write_json(path, value)
