"""The analysis of trained runs, as PNG and JSON."""

import importlib
import pathlib
import time

from launch import devices
from launch.analyses import runs as analyzed
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
    started = time.monotonic()
    (name,) = words
    analysis = importlib.import_module(f"launch.analyses.{name}")
    runs = analyzed.load(options)
    files = _files(name, runs, options)
    devices.set_threads(0, _SIDE_BY_SIDE)
    result = analysis.analyze(runs, options)
    print(f"{result.text}\n")
    write_json(
        files["json"],
        {"analysis": name, "runs": [str(run.path) for run in runs], "results": result.results},
    )
    if result.figure is not None:
        figures.save(result.figure, files["png"])
        print(f"figure  {files['png']}")
    print(f"data    {files['json']}")
    print(f"{duration(time.monotonic() - started)} in all")


def _files(what, runs, options):
    folder = pathlib.Path(options.output_dir or runs[0].path / "analysis")
    files = {kind: folder / f"{what}.{kind}" for kind in ("json", "png")}
    existing = [str(file) for file in files.values() if file.exists()]
    if existing and not options.overwrite:
        raise FileExistsError(
            f"{' and '.join(existing)} exist. Choose another --output_dir, or pass --overwrite."
        )
    check_writable(files["json"])
    return files
