"""The file of results that some commands write: --output, and --overwrite."""

import pathlib

from launch.given_flags import GIVEN, read_with

READ_WITH = {"overwrite": read_with(output=GIVEN)}


def path(output, overwrite):
    """Returns where to write, before anything is computed.

    Args:
        output: name of the file, or None.
        overwrite: whether it may replace another.

    Returns:
        A path, or None if the results are to be printed only.

    Raises:
        FileExistsError: the file exists and is not to be replaced.
        OSError: it could not be written.
    """
    file = output and pathlib.Path(output)
    if file and file.exists() and not overwrite:
        raise FileExistsError(f"{file} exists. Choose another file, or pass --overwrite.")
    if file:
        from tfmgaug.files import check_writable  # imports TensorFlow, which not all commands need

        check_writable(file)
    return file or None


def write(path, value):
    """Writes the results as JSON, whole or not at all.

    Args:
        path: of `path`.
        value: what `json.dumps` takes.
    """
    from tfmgaug.files import write_json  # imports TensorFlow, which not all commands need

    write_json(path, value)
