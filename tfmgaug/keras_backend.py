"""The check that Keras runs on TensorFlow, made before Keras is imported."""

import json
import os
import pathlib
import sys


def configured() -> tuple[str, str]:
    """Returns the backend that Keras will use, and where that is set, without importing Keras.

    It is looked up as Keras does: the environment variable, the configuration file, the default.

    Returns:
        The backend's name, and a phrase that says where it was set.
    """
    if "keras" in sys.modules:
        return sys.modules["keras"].config.backend(), "the Keras that is already imported"
    if os.environ.get("KERAS_BACKEND"):
        return os.environ["KERAS_BACKEND"], "the environment variable KERAS_BACKEND"
    path = _configuration_file()
    try:
        settings = json.loads(path.read_text())
    except (OSError, ValueError):
        settings = {}
    return settings.get("backend", "tensorflow"), str(path)


def check() -> None:
    """Refuses every backend but TensorFlow.

    Raises:
        RuntimeError: Keras is set to another backend.
    """
    backend, place = configured()
    if backend != "tensorflow":
        raise RuntimeError(
            "tfmgaug needs Keras on TensorFlow. Expected the Keras backend 'tensorflow'. Received: "
            f"{backend!r}, from {place}. Set KERAS_BACKEND=tensorflow before Keras is imported."
        )


def _configuration_file() -> pathlib.Path:
    if "KERAS_HOME" in os.environ:
        folder = pathlib.Path(os.environ["KERAS_HOME"])
    else:
        home = pathlib.Path.home()
        folder = (home if os.access(home, os.W_OK) else pathlib.Path("/tmp")) / ".keras"
    return folder.expanduser() / "keras.json"
