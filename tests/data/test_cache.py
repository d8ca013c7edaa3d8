import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tfmgaug.data import cache

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Child processes import the data modules alone: TensorFlow would take seconds.
WITHOUT_TENSORFLOW = f"""
import sys, types
for name in ("tfmgaug", "tfmgaug.data"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [{str(ROOT)!r} + "/" + name.replace(".", "/")]
import numpy as np
from tfmgaug.data import cache, image_folder
"""


def images(rows=5):
    return np.arange(rows * 2 * 3, dtype=np.uint8).reshape(rows, 2, 3, 1)


class Builder:
    """Builds one entry and counts how often it is asked to."""

    def __init__(self, rows=5):
        self.calls = 0
        self.rows = rows

    def __call__(self, writer):
        self.calls += 1
        for row in reversed(range(self.rows)):
            writer.write(row, images(self.rows)[row])
        return self.rows, {"names": ["a", "b"]}


def run_child(code, *arguments):
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW + code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_entry_is_built_once_and_memory_mapped(tmp_path):
    build = Builder()
    for _ in range(2):
        found, details = cache.cached_images("key", build, tmp_path)
        np.testing.assert_array_equal(found, images())
        assert isinstance(found, np.memmap)
        assert details == {"names": ["a", "b"]}
    assert build.calls == 1
    assert sorted(os.listdir(tmp_path)) == ["key.json", "key.npy"]


def test_fewer_rows_than_written_are_cut_off(tmp_path):
    def build(writer):
        writer.write(0, images(5))
        return 3, {}

    found, _ = cache.cached_images("key", build, tmp_path)
    np.testing.assert_array_equal(found, images()[:3])
    assert (tmp_path / "key.npy").stat().st_size == 128 + 3 * 6


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "no details", "broken details"])
def test_a_damaged_entry_is_built_again(tmp_path, damage):
    build = Builder()
    cache.cached_images("key", build, tmp_path)
    data, details = tmp_path / "key.npy", tmp_path / "key.json"
    content = data.read_bytes()
    if damage == "no details":
        details.unlink()
    elif damage == "broken details":
        details.write_text(details.read_text()[:-5])
    else:
        flipped = content[:-4] + bytes([content[-4] ^ 1]) + content[-3:]
        data.write_bytes({"cut": content[:-1], "bit": flipped, "empty": b""}[damage])
    found, _ = cache.cached_images("key", build, tmp_path)
    assert build.calls == 2
    np.testing.assert_array_equal(found, images())


def test_a_failed_build_leaves_nothing_behind(tmp_path):
    def build(writer):
        writer.write(0, images())
        raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        cache.cached_images("key", build, tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_build_killed_halfway_is_not_taken_for_a_whole_one(tmp_path):
    child = run_child(
        """
def build(writer):
    writer.write(0, np.ones([4, 2, 3, 1], np.uint8))
    print("writing", flush=True)
    sys.stdin.read()
cache.cached_images("key", build, sys.argv[1])
""",
        tmp_path,
    )
    assert child.stdout.readline() == "writing\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    child.stderr.close()
    build = Builder()
    found, _ = cache.cached_images("key", build, tmp_path)
    np.testing.assert_array_equal(found, images())
    assert build.calls == 1


def test_what_was_left_behind_long_ago_is_removed(tmp_path):
    old, young = (tmp_path / f"key.npy.{digit * 32}.tmp" for digit in "12")
    notes = tmp_path / "notes.tmp"  # somebody else's
    for file in (old, young, notes):
        file.write_bytes(b"half")
    for file in (old, notes):
        os.utime(file, (time.time() - 2e5,) * 2)
    cache.cached_images("key", Builder(), tmp_path)
    assert not old.exists()
    assert young.exists()
    assert notes.exists()


def test_processes_that_build_one_entry_at_once_agree(tmp_path):
    code = """
import time
def build(writer):
    for row in range(200):
        writer.write(row, np.full([8, 8, 3], row, np.uint8))
        time.sleep(0.001)
    return 200, {"rows": 200}
for _ in range(5):
    found, details = cache.cached_images("key", build, sys.argv[1])
    assert details == {"rows": 200}
    assert (found == np.arange(200, dtype=np.uint8)[:, None, None, None]).all()
"""
    children = [run_child(code, tmp_path) for _ in range(3)]
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    assert sorted(os.listdir(tmp_path)) == ["key.json", "key.npy"]


def test_a_cache_that_cannot_be_created_is_named_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match=r"file.*cannot be written.*TFMGAUG_CACHE.*cache_dir"):
        cache.cached_images("key", Builder(), tmp_path / "file")


def test_a_disk_that_fills_up_is_an_error_with_a_remedy(tmp_path):
    child = run_child(
        """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
def build(writer):
    for row in range(1000):
        writer.write(row, np.ones([28, 28, 1], np.uint8))
    return 1000, {}
try:
    cache.cached_images("key", build, sys.argv[1])
except OSError as error:
    print(error)
""",
        tmp_path,
    )
    output, errors = child.communicate(timeout=60)
    assert "cannot be written: File too large (" in output, errors
    assert os.listdir(tmp_path) == []


def test_the_folder_comes_from_the_argument_then_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TFMGAUG_CACHE", str(tmp_path / "environment"))
    assert cache.cache_directory(tmp_path / "argument") == tmp_path / "argument"
    assert cache.cache_directory() == tmp_path / "environment"
    monkeypatch.delenv("TFMGAUG_CACHE")
    assert cache.cache_directory() == pathlib.Path.home() / ".cache" / "tfmgaug"


def test_a_content_key_depends_on_bytes_and_names_alone(tmp_path):
    keys = {}
    for folder, name, content in [
        *[("a", "x", b"1"), ("b", "x", b"1"), ("c", "x", b"2"), ("d", "y", b"1")],
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content)
        keys[folder] = cache.content_key(tmp_path / folder, [name], tmp_path / "cache")
    assert keys["a"] == keys["b"]
    assert len({keys["a"], keys["c"], keys["d"]}) == 3


def test_bytes_are_read_again_only_when_a_file_has_changed(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"1")
    read = []
    digest = cache._digest
    monkeypatch.setattr(cache, "_digest", lambda path: read.append(path) or digest(path))
    keys = [cache.content_key(tmp_path, ["x"], tmp_path / "cache") for _ in range(2)]
    assert keys[0] == keys[1]
    assert len(read) == 1
    (tmp_path / "x").write_bytes(b"2")
    os.utime(tmp_path / "x", ns=(0, 1))
    assert cache.content_key(tmp_path, ["x"], tmp_path / "cache") != keys[0]
    assert len(read) == 2


def test_a_broken_note_of_a_content_key_is_written_again(tmp_path):
    (tmp_path / "x").write_bytes(b"1")
    key = cache.content_key(tmp_path, ["x"], tmp_path / "cache")
    (note,) = (tmp_path / "cache").iterdir()
    note.write_text("{")
    assert cache.content_key(tmp_path, ["x"], tmp_path / "cache") == key
    assert json.loads(note.read_text())["content"] == key
