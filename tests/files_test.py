import pytest

from tfmgaug.files import atomic_path


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
