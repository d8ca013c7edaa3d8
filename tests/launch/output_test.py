import pytest

from launch import output


def test_an_output_that_exists_is_replaced_only_when_told(tmp_path):
    (tmp_path / "results.json").write_text("old")
    with pytest.raises(FileExistsError, match="results.json exists. .*--overwrite"):
        output.path(str(tmp_path / "results.json"), False)
    assert output.path(str(tmp_path / "results.json"), True) == tmp_path / "results.json"
    assert (tmp_path / "results.json").read_text() == "old"


def test_an_output_that_cannot_be_written_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="results.json cannot be written: Not a directory. Choose"):
        output.path(str(tmp_path / "file" / "results.json"), False)
    assert output.path(str(tmp_path / "new" / "results.json"), False).parent.is_dir()
    assert not list((tmp_path / "new").iterdir())
