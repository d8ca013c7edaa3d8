"""Programs that run in a process of their own, where a user's module has been added."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def run(folder, name, source, program, *arguments):
    """Runs a program beside a module that it can import, and returns what both streams say."""
    (folder / f"{name}.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{folder}", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.stdout, done.stderr
