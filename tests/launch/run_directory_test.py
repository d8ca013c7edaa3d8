import json
import os

import pytest
import tensorflow as tf

from launch.run_directory import RunDirectory
from tests.helpers.full_disk import limited

SETTINGS = {"data": "glyphs", "learner": "fomaml", "way": 5}


def put(folder, *names, content="{}"):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def begun(folder, *names):
    """A directory that a run has marked, with some of what it writes."""
    put(folder, "flags.json", content=json.dumps(SETTINGS))
    put(folder, *names)
    return folder


def claim(folder, overwrite=False, resume=False):
    directory = RunDirectory(folder)
    return directory, directory.claim(overwrite, resume, lambda saved: [])


def files(folder):
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if not path.is_dir() and path.name != ".lock"
    )


def write_events(folder, step):
    for name in ("train", "validation"):
        writer = tf.summary.create_file_writer(str(folder / "events" / name))
        with writer.as_default(step=step):
            tf.summary.scalar("loss", 1.0)
        writer.close()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    "left",
    [
        "learner.keras",
        "report.json",
        "export/saved_model.pb",
        ".export.previous/saved_model.pb",
        "figures/training_curves.png",
        "checkpoints/best.weights.h5",
        "analysis/hat.png",
        "on_cub.json",
    ],
)
def test_whatever_a_run_wrote_protects_its_directory(left, resume, tmp_path):
    begun(tmp_path, left)
    with pytest.raises(FileExistsError, match=f"holds a run's {left}.*--overwrite"):
        claim(tmp_path, resume=resume)
    assert files(tmp_path) == sorted(["flags.json", left])


def test_curves_protect_a_run_and_what_its_first_epoch_left_does_not(tmp_path):
    write_events(begun(tmp_path), step=0)
    put(tmp_path, "checkpoints/history.json", content='[{"epoch": 0, "step": 3}]')
    put(tmp_path, "checkpoints/.99.last.weights.h5", ".99.learner.keras")
    assert claim(tmp_path, resume=True)[1] is False
    write_events(tmp_path, step=3)
    with pytest.raises(FileExistsError, match="holds a run's events"):
        claim(tmp_path / ".." / tmp_path.name)


def test_an_earlier_run_stays_until_the_new_one_begins(tmp_path):
    names = ["checkpoints/last.weights.h5", "export/variables/variables.index", "report.json"]
    begun(tmp_path, *names, "export/variables/variables_temp/part", ".7.export/saved_model.pb.tmp1")
    before = files(tmp_path)
    directory, resumed = claim(tmp_path, overwrite=True)
    assert not resumed
    assert files(tmp_path) == before
    directory.begin({**SETTINGS, "way": 3}, {})
    assert sorted(os.listdir(tmp_path)) == [".lock", "experiment.json", "flags.json"]
    assert json.loads(directory.flags.read_text())["way"] == 3


@pytest.mark.parametrize("name", ["notes.txt", "figures/mine.png", "on_it/x.json", "export/a/b"])
def test_files_that_no_run_wrote_are_never_removed(name, tmp_path):
    begun(tmp_path, "report.json", name)
    with pytest.raises(FileExistsError, match=f"no run has written, and is not replaced: {name}"):
        claim(tmp_path, overwrite=True)
    (tmp_path / "report.json").unlink()
    directory, _ = claim(tmp_path)
    directory.begin(SETTINGS, {})
    assert files(tmp_path) == sorted(["experiment.json", "flags.json", name])


@pytest.mark.parametrize("content", ["[1]", '{"theme": "dark"}', "flags"])
def test_a_directory_of_something_else_is_left_as_it_is(content, tmp_path):
    put(tmp_path, "flags.json", "figures/holiday.png", content=content)
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="files that are not a run"):
            claim(tmp_path, overwrite)
    assert sorted(os.listdir(tmp_path)) == ["figures", "flags.json"]


def test_a_linked_folder_is_not_emptied(tmp_path):
    put(tmp_path / "elsewhere", "last.weights.h5")
    run = begun(tmp_path / "run", "report.json")
    (run / "checkpoints").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError, match="is not replaced: checkpoints"):
        claim(run, overwrite=True)
    assert (tmp_path / "elsewhere" / "last.weights.h5").exists()


def test_the_second_of_two_that_write_at_once_is_refused(tmp_path):
    first, _ = claim(tmp_path)
    with pytest.raises(RuntimeError, match="Another process is writing"):
        claim(tmp_path, overwrite=True)
    first.begin(SETTINGS, {})
    with pytest.raises(RuntimeError, match="Another process is writing"):
        claim(tmp_path, resume=True)
    assert files(tmp_path) == ["experiment.json", "flags.json"]


def test_going_on_removes_what_killed_writes_left(tmp_path):
    names = ["checkpoints/last.weights.h5", "export/saved_model.pb"]
    begun(tmp_path, *names, "checkpoints/.7.last.weights.h5", ".7.export/saved_model.pb")
    assert claim(tmp_path, resume=True)[1] is True
    assert files(tmp_path) == sorted([*names, "flags.json"])


def test_a_directory_that_cannot_be_written_is_named_with_a_remedy(tmp_path):
    put(tmp_path, "file")
    with pytest.raises(OSError, match="file/run cannot be written: .*Choose another path"):
        claim(tmp_path / "file" / "run")
    directory, _ = claim(tmp_path / "run")
    with limited(10), pytest.raises(OSError, match="flags.json cannot be written: File too large"):
        directory.begin(SETTINGS, {})
