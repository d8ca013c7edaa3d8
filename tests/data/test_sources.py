import os
import shutil
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import decoding, image_folder
from tfmgaug.data.sources import ImageClasses, from_arrays, from_folder, split_classes


def pixels(seed, *shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def classes_of(*counts, shape=(6, 6, 1)):
    return from_arrays([pixels(i, count, *shape) for i, count in enumerate(counts)])


def save(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)


@pytest.fixture
def folder(tmp_path):
    """Ten classes c0-c9; class ci has 2 + i % 3 color images of 8 x 8."""
    root = tmp_path / "outer" / "images"
    for i in range(10):
        for j in range(2 + i % 3):
            save(root / f"c{i}" / f"{j}.png", pixels(100 * i + j, 8, 8, 3))
    return root


@pytest.fixture
def cache_dir(tmp_path):
    return tmp_path / "cache"


# ImageClasses


def test_images_of_a_class_lie_between_its_offsets():
    classes = classes_of(2, 4, 1)
    np.testing.assert_array_equal(classes.offsets, [0, 2, 6, 7])
    np.testing.assert_array_equal(classes.counts, [2, 4, 1])
    np.testing.assert_array_equal(classes.of_class("1"), pixels(1, 4, 6, 6, 1))
    assert classes.image_shape == (6, 6, 1)
    assert len(classes) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros([3, 4, 4, 1])}, "uint8.*float64"),
        ({"images": np.zeros([3, 4, 4], np.uint8)}, r"\[images, height, width, channels\]"),
        ({"images": np.zeros([3, 4, 4, 2], np.uint8)}, r"1 or 3 channels.*\(3, 4, 4, 2\)"),
        ({"offsets": [0, 1]}, "one entry more than there are classes"),
        ({"offsets": [0, 1, 4]}, r"from 0 to the number of images \(3\).*0 to 4"),
        ({"offsets": [0, 0, 3]}, "none for: 'a'"),
        ({"class_names": ["a", "a"]}, "more than once: 'a'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    parts = {"images": np.zeros([3, 4, 4, 1], np.uint8), "offsets": [0, 1, 3]}
    with pytest.raises(ValueError, match=message):
        ImageClasses(**{**parts, "class_names": ["a", "b"], **change})


def test_a_subset_of_neighbors_shares_memory_and_others_are_copied():
    classes = classes_of(2, 3, 4, 5)
    neighbors, others = classes.subset([1, 2]), classes.subset(["3", "0"], name="others")
    assert np.shares_memory(neighbors.images, classes.images)
    assert neighbors.class_names == ("1", "2")
    np.testing.assert_array_equal(others.of_class(0), classes.of_class("3"))
    np.testing.assert_array_equal(others.counts, [5, 2])
    assert others.name == "others"


def test_unknown_classes_are_named():
    with pytest.raises(ValueError, match="no classes named 'x'"):
        classes_of(2, 2).subset(["0", "x"])
    with pytest.raises(ValueError, match=r"has 2 classes, numbered from 0. Received: \[2\]"):
        classes_of(2, 2).subset([2])


def test_fewer_classes_are_among_more_and_keep_their_order():
    classes = classes_of(*range(2, 22))
    few, more = (classes.take(number, seed=3) for number in (5, 12))
    assert set(few.class_names) < set(more.class_names) < set(classes.class_names)
    assert list(more.class_names) == sorted(more.class_names, key=int)
    for name in few.class_names:
        np.testing.assert_array_equal(few.of_class(name), classes.of_class(name))
    assert few.class_names == classes.take(5, seed=3).class_names != classes.take(5).class_names
    assert classes.take(20).class_names == classes.class_names


@pytest.mark.parametrize("number", [0, 4])
def test_more_classes_than_there_are_cannot_be_taken(number):
    with pytest.raises(
        ValueError, match=f"from 1 to 3, the classes of 'arrays'. Received: {number}"
    ):
        classes_of(2, 2, 2).take(number)


def test_class_c_turned_r_times_is_class_c_plus_r_times_the_number_of_classes():
    classes = classes_of(2, 3)
    turned = classes.with_rotations()
    np.testing.assert_array_equal(turned.counts, [2, 3] * 4)
    for r in range(4):
        for c in range(2):
            expected = [np.rot90(image, r) for image in classes.of_class(c)]
            np.testing.assert_array_equal(turned.of_class(c + 2 * r), expected)
    assert turned.class_names == ("0", "1", "0@90", "1@90", "0@180", "1@180", "0@270", "1@270")


def test_images_that_are_not_square_are_not_rotated():
    with pytest.raises(ValueError, match="square images. Received: 6 x 5"):
        classes_of(2, 2, shape=(6, 5, 1)).with_rotations()


def test_mean_and_deviation_are_those_of_all_pixels_of_a_small_set():
    classes = classes_of(300, 200, shape=(4, 4, 3))
    assert classes.mean == pytest.approx(classes.images.mean(), rel=1e-12)
    assert classes.standard_deviation == pytest.approx(classes.images.std(), rel=1e-12)


# Arrays


def test_images_are_grouped_by_label_in_their_order():
    images = pixels(0, 5, 4, 4)
    classes = from_arrays(images, ["b", "a", "b", "c", "a"])
    assert classes.class_names == ("a", "b", "c")
    assert classes.image_shape == (4, 4, 1)
    np.testing.assert_array_equal(classes.of_class("a")[..., 0], images[[1, 4]])
    np.testing.assert_array_equal(classes.of_class("b")[..., 0], images[[0, 2]])


def test_integer_labels_index_the_class_names():
    classes = from_arrays(pixels(0, 3, 4, 4, 3), [1, 0, 1], class_names=["cat", "dog"])
    assert classes.class_names == ("cat", "dog")
    np.testing.assert_array_equal(classes.counts, [1, 2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [0, 1]}, r"for each of 3 images. Received shape \(2,\)"),
        ({"labels": [0.0, 1.0, 1.0]}, "float64"),
        ({"labels": [0, 1, 2], "class_names": ["a", "b"]}, "from 0 to 1, each at least once"),
        ({"labels": [1, 1, 2], "class_names": ["a", "b"]}, "from 1 to 2"),
        ({}, "one array for each class"),
    ],
)
def test_labels_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        from_arrays(np.zeros([3, 4, 4, 1], np.uint8), **arguments)


def test_a_class_of_another_shape_is_named():
    arrays = [np.zeros([2, 4, 4, 1], np.uint8), np.zeros([2, 5, 4, 1], np.uint8)]
    with pytest.raises(ValueError, match=r"'a' has \(4, 4, 1\) .*\(5, 4, 1\) uint8 for 'b'"):
        from_arrays(arrays, class_names=["a", "b"])


# Splits


def test_a_split_by_fractions_holds_every_class_once():
    classes = classes_of(*range(2, 27))
    splits = split_classes(classes, seed=3)
    assert [len(split) for split in splits] == [16, 4, 5]
    assert sorted(name for s in splits for name in s.class_names) == sorted(classes.class_names)
    for split in splits:
        for name in split.class_names:
            np.testing.assert_array_equal(split.of_class(name), classes.of_class(name))


def test_the_seed_alone_determines_a_split():
    classes = classes_of(*[2] * 20)
    names = [[s.class_names for s in split_classes(classes, seed=seed)] for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]


def test_every_share_gets_a_class_but_a_share_of_zero():
    assert [len(s) for s in split_classes(classes_of(2, 2, 2), (0.9, 0.05, 0.05))] == [1, 1, 1]
    assert [len(s) for s in split_classes(classes_of(2, 2, 2), (0, 0, 1))] == [0, 0, 3]


@pytest.mark.parametrize("fractions", [(0.5, 0.5), (0.5, 0.3, 0.3), (1.2, -0.2, 0.0)])
def test_fractions_that_are_not_three_shares_of_one_are_refused(fractions):
    with pytest.raises(ValueError, match="three shares"):
        split_classes(classes_of(2, 2, 2), fractions)


def test_too_few_classes_for_a_split_are_refused():
    with pytest.raises(ValueError, match="at least 3 classes. Received 2"):
        split_classes(classes_of(2, 2))


# Image folders


def test_a_folder_is_split_by_class_and_its_pixels_are_kept(folder, cache_dir):
    splits = from_folder(folder, cache_dir=cache_dir)
    assert [len(split) for split in splits] == [6, 2, 2]
    assert splits.train.name == "images/train"
    for split in splits:
        assert isinstance(split.images, np.memmap)
        for name in split.class_names:
            i = int(name[1:])
            expected = [pixels(100 * i + j, 8, 8, 3) for j in range(2 + i % 3)]
            np.testing.assert_array_equal(split.of_class(name), expected)


@pytest.mark.parametrize("validation", ["validation", "val"])
def test_the_split_of_the_folder_is_kept(folder, cache_dir, validation):
    for i in range(10):
        group = "train" if i < 6 else validation if i < 8 else "test"
        (folder / group).mkdir(exist_ok=True)
        (folder / f"c{i}").rename(folder / group / f"c{i}")
    splits = from_folder(folder, cache_dir=cache_dir)
    assert splits.train.class_names == tuple(f"c{i}" for i in range(6))
    assert splits.validation.class_names == ("c6", "c7")
    np.testing.assert_array_equal(splits.test.of_class("c9")[1], pixels(901, 8, 8, 3))


def test_lists_of_classes_split_a_folder(folder, cache_dir):
    lists = {"train": ["c5", "c1"], "validation": ["c2"], "test": ["c0", "c9"]}
    splits = from_folder(folder, splits=lists, cache_dir=cache_dir)
    assert [list(split.class_names) for split in splits] == list(lists.values())
    np.testing.assert_array_equal(splits.train.of_class("c5")[0], pixels(500, 8, 8, 3))
    with pytest.raises(ValueError, match="1 of 4 classes have no folder.*'x'"):
        from_folder(folder, splits={**lists, "train": ["x"]}, cache_dir=cache_dir)
    with pytest.raises(ValueError, match="not name a class twice. Received: 'c0'"):
        from_folder(folder, splits={**lists, "train": ["c0"]}, cache_dir=cache_dir)


def test_classes_that_lists_leave_out_are_not_opened(folder, cache_dir):
    (folder / "c3" / "0.png").write_text("not an image")
    (folder / "c4" / "0.png").unlink()
    (folder / "c4" / "1.png").unlink()
    (folder / "c4" / "2.png").unlink(missing_ok=True)
    lists = {"train": ["c5"], "validation": ["c2"], "test": ["c0"]}
    splits = from_folder(folder, splits=lists, cache_dir=cache_dir)
    assert [split.class_names for split in splits] == [("c5",), ("c2",), ("c0",)]


def test_images_are_decoded_once_for_all_seeds(folder, cache_dir, monkeypatch):
    first = from_folder(folder, cache_dir=cache_dir, seed=1)
    monkeypatch.setattr(decoding, "decode", None)
    again = from_folder(folder, cache_dir=cache_dir, seed=1)
    other = from_folder(folder, cache_dir=cache_dir, seed=2)
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert first.train.class_names == again.train.class_names != other.train.class_names


def test_a_changed_image_is_decoded_again(folder, cache_dir):
    from_folder(folder, cache_dir=cache_dir)
    save(folder / "c3" / "0.png", pixels(7, 8, 8, 3))
    splits = from_folder(folder, cache_dir=cache_dir)
    (split,) = [split for split in splits if "c3" in split.class_names]
    np.testing.assert_array_equal(split.of_class("c3")[0], pixels(7, 8, 8, 3))


def test_a_copied_folder_finds_the_entries_of_the_first(folder, cache_dir, monkeypatch):
    from_folder(folder, cache_dir=cache_dir)
    shutil.copytree(folder, folder.parent / "copy")
    monkeypatch.setattr(decoding, "decode", None)
    assert from_folder(folder.parent / "copy", cache_dir=cache_dir).train.name == "copy/train"


def test_gray_images_have_one_channel_and_mixed_ones_three(folder, cache_dir, tmp_path):
    for i in range(3):
        save(tmp_path / "gray" / f"g{i}" / "0.png", pixels(i, 8, 8))
    gray = from_folder(tmp_path / "gray", cache_dir=cache_dir)
    assert gray.train.image_shape == (8, 8, 1)
    save(folder / "c0" / "gray.png", pixels(1, 8, 8))
    mixed = from_folder(folder, fractions=(0, 0, 1), cache_dir=cache_dir).test
    expected = np.repeat(pixels(1, 8, 8)[..., np.newaxis], 3, axis=-1)
    np.testing.assert_array_equal(mixed.of_class("c0")[-1], expected)
    assert from_folder(folder, channels=1, cache_dir=cache_dir).train.image_shape == (8, 8, 1)


def test_images_are_resized_to_height_and_width(folder, cache_dir):
    save(folder / "c0" / "wide.png", np.full([10, 40, 3], 77, np.uint8))
    splits = from_folder(folder, (4, 6), cache_dir=cache_dir)
    assert splits.train.image_shape == (4, 6, 3)
    (split,) = [split for split in splits if "c0" in split.class_names]
    np.testing.assert_array_equal(split.of_class("c0")[-1], np.full([4, 6, 3], 77))


def test_mixed_sizes_without_a_size_name_two_examples(folder, cache_dir):
    save(folder / "c4" / "large.png", pixels(0, 9, 7, 3))
    message = r"2 sizes, e.g. 'c0/0.png' is 8 x 8 and 'c4/large.png' is 9 x 7.*image_size=84"
    with pytest.raises(ValueError, match=message):
        from_folder(folder, cache_dir=cache_dir)


@pytest.mark.parametrize("image_size", [0, -3, 2.5, (8,), (8, 8, 3), "84"])
def test_sizes_that_are_not_sides_are_refused(folder, image_size):
    with pytest.raises(ValueError, match="`image_size` must be a positive integer or"):
        from_folder(folder, image_size)


def test_unreadable_images_are_named_and_counted(folder, cache_dir):
    content = (folder / "c0" / "0.png").read_bytes()
    (folder / "c0" / "cut.png").write_bytes(content[:60])
    for i in range(11):
        (folder / "c1" / f"text{i:02d}.jpg").write_text("not an image")
    with pytest.raises(ValueError, match="12 of 41 images.*skip_unreadable=True") as error:
        from_folder(folder, cache_dir=cache_dir)
    assert "c0/cut.png" in str(error.value)
    assert "text08.jpg" in str(error.value)
    assert "text09.jpg" not in str(error.value)
    assert "and 2 more" in str(error.value)


def test_unreadable_images_are_left_out_on_request_and_warned_of(folder, cache_dir):
    (folder / "c3" / "00.png").write_bytes(b"")
    for _ in range(2):  # decoded, and from the cache
        with pytest.warns(
            UserWarning, match=r"^Left out.* 1 of 30 images unreadable:\n  c3/00.png"
        ):
            splits = from_folder(folder, cache_dir=cache_dir, skip_unreadable=True)
        (split,) = [split for split in splits if "c3" in split.class_names]
        np.testing.assert_array_equal(split.of_class("c3")[0], pixels(300, 8, 8, 3))
        assert split.unreadable == (str(folder / "c3" / "00.png"),)
        assert sum(len(split.unreadable) for split in splits) == 1
    with pytest.raises(ValueError, match="1 of 30 images"):
        from_folder(folder, cache_dir=cache_dir)


def test_a_class_without_a_readable_image_is_named(folder, cache_dir):
    for file in (folder / "c5").iterdir():
        file.write_bytes(b"")
    with pytest.raises(ValueError, match="No image can be read in 1 class folders.*'c5'"):
        from_folder(folder, cache_dir=cache_dir, skip_unreadable=True)


def test_folders_of_another_layout_are_refused(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="There is none at.*nowhere"):
        from_folder(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no folders, 0 images"):
        from_folder(tmp_path / "empty")
    with pytest.raises(ValueError, match="no folders, 2 images"):
        from_folder(folder / "c0")
    with pytest.raises(ValueError, match="needs at least 3 classes.*Did you mean .*images"):
        from_folder(folder.parent)
    (folder / "c10").mkdir()
    with pytest.raises(ValueError, match="1 of 11 class folders .* hold no images.*'c10'"):
        from_folder(folder)


def test_a_given_split_must_be_whole_and_disjoint(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "split" / "train")
    with pytest.raises(ValueError, match="must hold validation/.*Received: train"):
        from_folder(tmp_path / "split")
    shutil.copytree(folder / "c0", tmp_path / "split" / "validation" / "d0")
    shutil.copytree(folder / "c1", tmp_path / "split" / "test" / "c1")
    with pytest.raises(ValueError, match="different classes.*'c1'"):
        from_folder(tmp_path / "split")


def test_everything_that_is_left_out_is_counted_in_one_line(folder, cache_dir):
    for name in ("c0/notes.txt", "c1/more/notes.TXT", "c1/Makefile", "c0/.hidden.png", "list.csv"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("text")
    save(folder / "c2" / ".thumbnails" / "0.png", pixels(0, 8, 8, 3))
    save(folder / "__MACOSX" / "0.png", pixels(0, 8, 8, 3))
    save(folder / "loose.png", pixels(0, 8, 8, 3))
    (folder / "c3" / "00.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="Left out") as caught:
        splits = from_folder(folder, cache_dir=cache_dir, skip_unreadable=True)
    (line,) = [str(w.message).split("\n")[0] for w in caught]
    assert line == (
        f"Left out of {str(folder)!r}: 3 hidden, 2 .txt, 1 .csv, 1 images beside the folders of "
        "classes ('loose.png'), 1 without extension, 1 of 30 images unreadable:"
    )
    assert sum(len(split.images) for split in splits) == 29


def test_a_folder_without_anything_else_is_read_without_a_warning(folder, cache_dir):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        splits = from_folder(folder, cache_dir=cache_dir)
    assert sum(len(split.images) for split in splits) == 29


def test_more_images_than_are_decoded_at_once_keep_their_order(tmp_path, cache_dir):
    for i in range(3):
        for j in range(200):
            save(tmp_path / "many" / str(i) / f"{j:03d}.bmp", np.full([2, 2], j, np.uint8))
    splits = from_folder(tmp_path / "many", cache_dir=cache_dir)
    for split in splits:
        np.testing.assert_array_equal(split.images[:, 0, 0, 0], np.arange(200))


def test_a_real_image_folder_is_read_and_starts_fast_again(shared_data, tmp_path, cache_dir):
    with zipfile.ZipFile(shared_data / "grocery_84.zip") as archive:
        chosen = [name for name in archive.namelist() if "/A" in name or "/G" in name]
        archive.extractall(tmp_path, chosen)
    splits = from_folder(tmp_path / "images", 42, cache_dir=cache_dir)
    assert sum(len(split.images) for split in splits) == len(chosen)
    name = splits.test.class_names[0]
    file = sorted(os.listdir(tmp_path / "images" / name))[0]
    image = Image.open(tmp_path / "images" / name / file).resize((42, 42), Image.LANCZOS)
    np.testing.assert_array_equal(splits.test.of_class(name)[0], np.asarray(image))


# Decoding


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    save(tmp_path / "deep.png", np.array([[0, 256, 65535]], np.uint16))
    assert decoding.read_header(tmp_path / "deep.png").gray
    np.testing.assert_array_equal(
        decoding.decode(tmp_path / "deep.png", channels=1)[0, :, 0], [0, 1, 255]
    )


def test_transparent_pixels_are_white(tmp_path):
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)
    save(tmp_path / "a.png", rgba)
    np.testing.assert_array_equal(
        decoding.decode(tmp_path / "a.png"), [[[10, 20, 30], [255, 255, 255]]]
    )


def test_an_image_that_lies_on_its_side_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path / "a.png", pixels(0, 4, 6, 3), exif=exif)
    assert decoding.read_header(tmp_path / "a.png") == (False, 6, 4)
    np.testing.assert_array_equal(
        decoding.decode(tmp_path / "a.png"), np.rot90(pixels(0, 4, 6, 3), -1)
    )


def test_a_gray_palette_is_gray_and_a_colored_one_is_not(tmp_path):
    gray = Image.fromarray(pixels(0, 4, 4)).convert("P")
    gray.save(tmp_path / "gray.png")
    Image.fromarray(pixels(0, 4, 4, 3)).quantize(8).save(tmp_path / "color.png")
    assert decoding.read_header(tmp_path / "gray.png").gray
    assert not decoding.read_header(tmp_path / "color.png").gray


def test_arrays_are_resized_as_files_are(tmp_path):
    save(tmp_path / "a.png", pixels(0, 9, 7))
    np.testing.assert_array_equal(
        decoding.resize(pixels(0, 1, 9, 7, 1), (4, 5))[0],
        decoding.decode(tmp_path / "a.png", (4, 5), channels=1),
    )


def test_the_classes_of_a_folder_are_not_split_again(folder, cache_dir, tmp_path):
    for group, name in [("train", "c0"), ("val", "c1"), ("test", "c2")]:
        shutil.copytree(folder / name, tmp_path / "split" / group / name)
    lists = {"train": ["c0"], "validation": ["c1"], "test": ["c2"]}
    with pytest.raises(ValueError, match="already split"):
        image_folder.from_folder(tmp_path / "split", splits=lists, cache_dir=cache_dir)
