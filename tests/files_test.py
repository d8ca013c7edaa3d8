import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

from tests.helpers.full_disk import limited
from tfmgaug import files
from tfmgaug.files import UnwritableError, atomic_path, write_bytes, write_saved

# The module alone, in a process of its own: TensorFlow would take seconds.
SOURCE = pathlib.Path(files.__file__).read_text()


def run_alone(code, *arguments):
    command = [sys.executable, "-", *map(str, arguments)]
    return subprocess.run(command, input=SOURCE + code, text=True, capture_output=True)


def test_a_block_that_raises_leaves_the_old_file(tmp_path):
    path = tmp_path / "history.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), atomic_path(path) as temporary:
        temporary.write_text("half a \ud800", encoding="utf-8")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["history.json"]


def test_the_temporary_path_keeps_the_ending_and_the_folder_is_made(tmp_path):
    path = tmp_path / "new" / "last.weights.h5"
    with atomic_path(path) as temporary:
        assert temporary.name.endswith(".weights.h5")
        assert temporary.parent == path.parent
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"


def test_a_file_that_is_too_large_says_how_much_is_needed_and_free(tmp_path):
    path = tmp_path / "learner.keras"
    path.write_text("old")
    words = r"learner\.keras cannot be written: File too large \(12\.3 kB needed, .* free\)\. Raise"
    with limited(1000), pytest.raises(UnwritableError, match=words):
        write_bytes(path, bytes(12345))
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["learner.keras"]


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 64 kB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(command).returncode:
        pytest.skip("mounting a file system takes root on Linux")
    yield tmp_path
    subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_says_how_much_is_needed_and_free(tiny_disk):
    write_bytes(tiny_disk / "old", bytes(40_000))
    words = r"No space left on device \(40\.0 kB needed, .* kB free\)\. Free some space there, or"
    with pytest.raises(UnwritableError, match=words):
        write_bytes(tiny_disk / "old", bytes(range(250)) * 160)
    assert (tiny_disk / "old").read_bytes() == bytes(40_000)
    assert [file.name for file in tiny_disk.iterdir()] == ["old"]


def test_a_folder_that_is_none_or_not_writable_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UnwritableError, match="file/x cannot be written: Not a directory. Choose"):
        write_bytes(tmp_path / "file" / "x", b"")
    tmp_path.chmod(0o555)
    code = """
import sys
if os.geteuid() == 0:
    os.setuid(65534)  # nothing is forbidden to root
try:
    write_bytes(sys.argv[1], b"")
except OSError as error:
    print(error)
"""
    found = run_alone(code, tmp_path / "x")
    expected = "x cannot be written: Permission denied. Make the folder writable, or choose another"
    assert expected in found.stdout, found.stderr


def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file_whole(tmp_path):
    path = tmp_path / "last.weights.h5"
    path.write_text("old")
    code = """
import signal, sys
def half(path):
    os.truncate(path, 3)
    os.kill(os.getpid(), signal.SIGKILL)
_flush = half
write_bytes(sys.argv[1], b"whole")
"""
    assert run_alone(code, path).returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    (left,) = set(os.listdir(tmp_path)) - {"last.weights.h5"}
    assert files.without_mark(left) == "last.weights.h5"


@pytest.mark.parametrize("name", ["saved.keras", "saved.weights.h5"])
def test_what_keras_saves_in_memory_is_what_it_loads(name, tmp_path):
    model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
    model.compile("adam")
    write_saved(model.save if name.endswith("keras") else model.save_weights, tmp_path / name)
    loaded = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
    if name.endswith("keras"):
        loaded = keras.models.load_model(tmp_path / name)
    else:
        loaded.load_weights(tmp_path / name)
    np.testing.assert_array_equal(model.weights[0], loaded.weights[0])
    assert os.listdir(tmp_path) == [name]
