"""The analysis of trained runs, as PNG and JSON."""

import importlib
import pathlib
import time

from launch import analysis_flags, devices, settings
from launch.analyses import registry
from launch.analyses.runs import load
from launch.given_flags import present
from launch.progress import duration
from tfmgaug import figures
from tfmgaug.files import check_writable, write_json

_SIDE_BY_SIDE = 20  # tasks in a batch of evaluation


def run(options, words):
    """Runs the analysis that the first word names.

    Args:
        options: absl flags of `launch.analyze`.
        words: list of the analysis's name.
    """
    (name,) = words
    of_command = {flag: options[flag].value for flag in analysis_flags.arguments_of_command()}
    arguments = analysis_flags.values(options, analysis_flags.arguments_of(name))
    data = {flag: options[flag].value for flag in present(settings.names())}
    analyze(name, arguments, data, **of_command)


def analyze(
    name: str,
    arguments: dict,
    data: dict,
    *,
    runs: list[str],
    names: list[str] | None = None,
    output_dir: str | None = None,
    overwrite: bool = False,
):
    """Analyzes runs, and writes and prints what comes out.

    Args:
        name: of the analysis, a module of `launch.analyses`.
        arguments: dictionary of the keyword arguments of its `analyze`.
        data: dictionary of the data flags that take the place of the runs' own.
        runs: run directories.
        names: what figures call the runs. Curves of one name are averaged.
        output_dir: where to write; the folder `analysis` of the first run by default.
        overwrite: replace the files of an earlier analysis.

    Raises:
        FileExistsError: there are files, and they are not to be replaced.
        ValueError: the runs do not fit the analysis.
    """
    started = time.monotonic()
    analysis = importlib.import_module(registry.module(name))
    loaded = load(runs, names, data)
    files = _files(name, pathlib.Path(output_dir or loaded[0].path / "analysis"), overwrite)
    devices.set_threads(0, _SIDE_BY_SIDE)
    result = analysis.analyze(loaded, **arguments)
    print(f"{result.text}\n")
    write_json(
        files["json"],
        {"analysis": name, "runs": [str(run.path) for run in loaded], "results": result.results},
    )
    if result.figure is not None:
        figures.save(result.figure, files["png"])
        print(f"figure  {files['png']}")
    print(f"data    {files['json']}")
    print(f"{duration(time.monotonic() - started)} in all")


def _files(name, folder, overwrite):
    files = {kind: folder / f"{name}.{kind}" for kind in ("json", "png")}
    existing = [str(file) for file in files.values() if file.exists()]
    if existing and not overwrite:
        raise FileExistsError(
            f"{' and '.join(existing)} exist. Choose another --output_dir, or pass --overwrite."
        )
    check_writable(files["json"])
    return files
