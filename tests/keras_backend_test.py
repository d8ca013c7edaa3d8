import json
import os
import subprocess
import sys

import pytest

import tfmgaug
from tfmgaug import keras_backend


def first_import(**environment):
    """Imports tfmgaug in a new process, and returns the last line it writes."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("KERAS_")}
    finished = subprocess.run(
        [sys.executable, "-c", "import tfmgaug"],
        capture_output=True,
        text=True,
        env={**inherited, **environment},
    )
    assert finished.returncode == 1
    return finished.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("backend", ["jax", "torch", "numpy", "jqx"])
def test_another_backend_is_refused_in_one_line_whether_it_is_installed_or_not(backend):
    line = first_import(KERAS_BACKEND=backend)
    assert line == (
        "RuntimeError: tfmgaug needs Keras on TensorFlow. Expected the Keras backend 'tensorflow'. "
        f"Received: '{backend}', from the environment variable KERAS_BACKEND. "
        "Set KERAS_BACKEND=tensorflow before Keras is imported."
    )


def test_the_backend_of_the_configuration_file_is_refused_too(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax"}))
    line = first_import(KERAS_HOME=str(tmp_path), KERAS_BACKEND="")
    assert f"Received: 'jax', from {tmp_path / 'keras.json'}." in line


def test_the_backend_is_looked_up_as_keras_does(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert keras_backend.configured()[0] == "tensorflow"  # without a file
    (tmp_path / "keras.json").write_text("{")
    assert keras_backend.configured()[0] == "tensorflow"  # a file that Keras passes over
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax"}))
    assert keras_backend.configured()[0] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert keras_backend.configured()[0] == "torch"


def test_keras_that_is_imported_says_itself_what_it_runs_on(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")  # too late to change anything
    assert keras_backend.configured()[0] == "tensorflow"
    keras_backend.check()
    assert tfmgaug.__version__


def test_commands_refuse_another_backend_in_one_line(tmp_path):
    finished = subprocess.run(
        [sys.executable, "-m", "launch.train", f"--run_dir={tmp_path}"],
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("Error: tfmgaug needs Keras on TensorFlow.")
