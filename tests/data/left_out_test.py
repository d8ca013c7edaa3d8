"""Folders with what people leave in them."""

import os
import sys
import types
import unicodedata
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import cache, decoding, from_folder


def picture(path, number=0, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 256, [8, 8, 3], np.uint8)
    Image.fromarray(pixels).save(path, **options)


@pytest.fixture
def photos(tmp_path):
    """Five classes of three images."""
    for number in range(15):
        picture(tmp_path / "photos" / f"c{number // 3}" / f"{number}.png", number)
    return tmp_path / "photos"


@pytest.fixture
def read(photos, tmp_path):
    def read(path=photos, **options):
        return from_folder(path, cache_dir=tmp_path / "cache", **options)

    return read


def names(splits):
    return sorted(name for split in splits for name in split.class_names)


def number_of_images(splits):
    return sum(len(split.images) for split in splits)


@pytest.mark.parametrize("suffix", [".jfif", ".JPE", ".tga", ".jp2", ".ico", ".pcx", ".dib"])
def test_every_ending_that_pillow_knows_is_read(suffix, photos, read):
    picture(photos / "c0" / f"more{suffix}", 90)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert number_of_images(read(image_size=8)) == 16


def test_formats_that_pillow_names_but_cannot_decode_are_left_out(photos, read):
    for suffix in (".h5", ".mpg", ".eps", ".pdf"):
        (photos / "c0" / f"more{suffix}").write_bytes(b"not for Pillow")
    with pytest.warns(UserWarning, match="1 .eps, 1 .h5, 1 .mpg, 1 .pdf"):
        assert number_of_images(read()) == 15


def test_heic_is_named_with_the_package_that_reads_it(photos, read, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    decoding.suffixes.cache_clear()
    (photos / "c0" / "IMG_1.HEIC").write_bytes(b"heic")
    with pytest.warns(UserWarning, match=r"1 .heic \(to read them: pip install pillow-heif\)"):
        read()
    decoding.suffixes.cache_clear()


def test_heic_is_read_where_pillow_heif_is_installed(photos, read, monkeypatch):
    # A stand-in that reads BMP under that name: the package is none of ours.
    opener = types.ModuleType("pillow_heif")
    opener.__spec__ = types.SimpleNamespace(name="pillow_heif")
    opener.register_heif_opener = lambda: Image.register_extension("BMP", ".heic")
    monkeypatch.setitem(sys.modules, "pillow_heif", opener)
    monkeypatch.setattr(Image, "EXTENSION", dict(Image.EXTENSION))
    decoding.suffixes.cache_clear()
    picture(photos / "c0" / "a.bmp", 90)
    (photos / "c0" / "a.bmp").rename(photos / "c0" / "a.heic")
    assert number_of_images(read()) == 16
    decoding.suffixes.cache_clear()


def broken(kind, folder):
    """Puts an image there that cannot be opened."""
    path = folder / "broken.png"
    if kind == "link to nothing":
        path.symlink_to(folder / "gone.png")
    elif kind == "link to itself":
        path.symlink_to(path)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "cut":
        picture(folder / "whole.jpg")
        content = (folder / "whole.jpg").read_bytes()
        (folder / "whole.jpg").unlink()
        path = folder / "broken.jpg"
        path.write_bytes(content[: len(content) // 2])
    elif kind == "bomb":
        header = Image.new("1", (1, 1))
        header.save(path)
        content = bytearray(path.read_bytes())
        content[16:24] = (30_000).to_bytes(4, "big") * 2
        content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
        path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("link to nothing", "gone.png', which is not there"),
        ("link to itself", "symbolic links"),
        ("pipe", "no regular file"),
        ("empty", "cannot identify"),
        ("cut", "runcated"),
        ("bomb", "900000000 pixels"),
    ],
)
def test_files_that_cannot_be_opened_are_unreadable_images(kind, reason, photos, read):
    path = broken(kind, photos / "c1")
    with pytest.raises(ValueError, match="1 of 16 images .*skip_unreadable") as error:
        read(image_size=8)
    assert f"c1/{path.name}: " in str(error.value)
    assert reason in str(error.value)
    with pytest.warns(UserWarning, match="1 of 16 images unreadable"):
        splits = read(image_size=8, skip_unreadable=True)
    assert number_of_images(splits) == 15
    assert [file for split in splits for file in split.unreadable] == [str(path)]


def test_a_folder_that_may_not_be_opened_is_unreadable(photos, read, monkeypatch):
    picture(photos / "c2" / "private" / "0.png", 99)
    scan = os.scandir

    def guarded(path):
        if str(path).endswith("private"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(ValueError, match="c2/private/: Permission denied"):
        read()
    with pytest.warns(UserWarning, match="1 of 16 images unreadable"):
        assert number_of_images(read(skip_unreadable=True)) == 15


def test_an_image_is_read_once_it_may_be(photos, read, monkeypatch):
    digest = cache._digest
    locked = str(photos / "c0" / "0.png")
    with monkeypatch.context() as patch:
        patch.setattr(cache, "_digest", lambda path: None if str(path) == locked else digest(path))
        opened = decoding.decode
        patch.setattr(
            decoding, "decode", lambda file, *a: opened("" if str(file) == locked else file, *a)
        )
        with pytest.warns(UserWarning, match="1 of 15 images unreadable"):
            read(skip_unreadable=True)
    assert number_of_images(read(skip_unreadable=True)) == 15


def test_links_to_folders_are_followed_but_not_in_circles(photos, read, tmp_path):
    for number in range(4):
        picture(tmp_path / "elsewhere" / f"{number}.png", 40 + number)
    (photos / "c0" / "more").symlink_to(tmp_path / "elsewhere")
    (photos / "c0" / "again").symlink_to(photos / "c0")
    (photos / "nowhere").symlink_to(photos / "nowhere")
    with pytest.warns(UserWarning, match="1 links to a folder around them") as caught:
        splits = read()
    assert len(caught) == 1
    assert number_of_images(splits) == 19


def test_names_with_line_breaks_and_accents_stay_on_a_line(photos, read):
    picture(photos / "c0" / "caf\u00e9 \U0001f600.png", 50)
    (photos / "c0" / "two\nlines.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="1 of 17 images unreadable") as caught:
        splits = read(skip_unreadable=True)
    assert str(caught[0].message).count("\n") == 1
    assert r"'c0/two\nlines.png'" in str(caught[0].message)
    assert number_of_images(splits) == 16


@pytest.mark.parametrize("mode", ["CMYK", "P", "I;16", "YCbCr", "LA", "PA"])
def test_every_color_mode_gives_the_picture_that_pillow_shows(mode, tmp_path):
    color = Image.fromarray(np.full([6, 6, 3], (200, 100, 50), np.uint8))
    gray = mode in ("I;16", "LA", "PA")
    image = Image.new("I;16", (6, 6), 128 * 256) if mode == "I;16" else color.convert(mode)
    image.save(tmp_path / "a.tif")
    expected = {"I;16": [128] * 3, "LA": [124] * 3}.get(mode, [200, 100, 50])
    found = decoding.decode(tmp_path / "a.tif")[3, 3]
    np.testing.assert_allclose(found, expected, atol=12 if gray or mode == "P" else 2)


def test_of_several_pictures_in_a_file_the_first_is_taken(tmp_path):
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    for suffix in ("gif", "tif", "png"):
        frames[0].save(tmp_path / f"a.{suffix}", save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(decoding.decode(tmp_path / f"a.{suffix}")[0, 0], [255, 0, 0])


# Splits and classes


def sort(photos, **classes_of):
    for split, classes in classes_of.items():
        for number, name in classes.items():
            (photos / split).mkdir(exist_ok=True)
            (photos / number).rename(photos / split / name)
    return photos


def test_a_class_of_two_splits_is_noticed_in_any_case_and_encoding(photos, read):
    composed = unicodedata.normalize("NFC", "\u00e9clair")
    sort(photos, train={"c0": "cat", "c1": composed}, validation={"c2": "dog"})
    sort(photos, test={"c3": "Cat", "c4": unicodedata.normalize("NFD", composed)})
    with pytest.raises(ValueError, match="train/cat and test/Cat.*train/\u00e9clair and test/"):
        read()


def test_letters_may_be_classes_of_a_folder_that_is_not_split(photos, read):
    sort(photos, **{".": {"c0": "a", "c1": "A"}})
    lists = {"train": ["a", "c2"], "validation": ["A"], "test": ["c3"]}
    with pytest.warns(UserWarning, match="train/a and validation/A.*merge them"):
        read(splits=lists)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(splits={**lists, "train": ["a", "A"], "validation": ["c2"]})


def test_test_may_stand_alone_and_splits_may_be_capitals(photos, read):
    sort(photos, Test={f"c{number}": f"c{number}" for number in range(5)})
    splits = read()
    assert [len(split) for split in splits] == [0, 0, 5]
    (photos / "Train").mkdir()
    (photos / "Test" / "c0").rename(photos / "Train" / "c0")
    with pytest.raises(ValueError, match="must hold validation/.*Received: Test, Train"):
        read()


def test_shares_of_a_folder_that_is_split_are_refused(photos, read):
    sort(photos, test={f"c{number}": f"c{number}" for number in range(5)})
    with pytest.raises(ValueError, match="already split.*`fractions`"):
        read(fractions=(0.5, 0.25, 0.25))


def test_small_classes_are_left_out_and_counted_without_another_split(photos, read):
    (photos / "empty").mkdir()
    picture(photos / "few" / "0.png", 77)
    (photos / "few" / "1.png").write_bytes(b"")
    with pytest.raises(ValueError, match="1 of 7 class folders .*'empty'.*--skip_small_classes"):
        read(skip_unreadable=True)
    message = r"2 of 7 classes with fewer than 2 images \('empty', 'few'\)"
    with pytest.warns(UserWarning, match=message):
        two = read(skip_unreadable=True, min_images=2)
    with pytest.warns(UserWarning, match="1 of 7 classes"):
        one = read(skip_unreadable=True, min_images=1)
    assert names(two) == [f"c{number}" for number in range(5)]
    for more, fewer in zip(one, two):
        assert [name for name in more.class_names if name != "few"] == list(fewer.class_names)


def test_classes_that_fill_no_episode_are_left_out(photos, read):
    whole = read(fractions=(0, 0, 1)).test
    assert whole.with_enough(1, 2) is whole
    picture(photos / "c3" / "more.png", 60)
    assert read(fractions=(0, 0, 1)).test.with_enough(2, 2).class_names == ("c3",)
