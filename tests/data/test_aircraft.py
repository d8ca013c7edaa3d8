import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import aircraft, catalog
from tfmgaug.data.published import class_lists

LISTS = class_lists("aircraft")
VARIANTS = sorted(sum(LISTS.values(), []))
# Two names have a slash in the archive.
PRINTED = {"F-16A-B": "F-16A/B", "F-A-18": "F/A-18"}


def color(number):
    return (number * 2, 100, 200 - number)


def archive(root):
    """One image a set and variant: a plane of one color, and black around it."""
    (root / "images").mkdir(parents=True)
    lists = {part: [] for part in ("train", "val", "test")}
    boxes = []
    for number, variant in enumerate(VARIANTS):
        for offset, lines in enumerate(lists.values()):
            image = f"{3 * number + offset:07d}"
            pixels = np.zeros([24, 30, 3], np.uint8)
            pixels[2:20, 4 + offset : 24] = color(number)
            # Lossless, whatever the ending says: colors stay as they are.
            Image.fromarray(pixels).save(root / "images" / f"{image}.jpg", format="PNG")
            lines.append(f"{image} {PRINTED.get(variant, variant)}")
            boxes.append(f"{image} {5 + offset} 3 24 20")
    for part, lines in lists.items():
        (root / f"images_variant_{part}.txt").write_text("\n".join(lines) + "\n")
    (root / "images_box.txt").write_text("\n".join(boxes) + "\n")
    return root


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    root = tmp_path_factory.mktemp("planes")
    archive(root / "fgvc-aircraft-2013b" / "data")
    return root


@pytest.mark.parametrize("inside", ["", "fgvc-aircraft-2013b/data"])
def test_the_archive_is_split_by_the_published_variants(placed, inside, tmp_path):
    splits = catalog.load("aircraft", data_dir=placed / inside, cache_dir=tmp_path)
    assert [list(split.class_names) for split in splits] == list(LISTS.values())
    assert [split.name for split in splits] == [f"aircraft/{field}" for field in splits._fields]
    assert splits.test.image_shape == (32, 32, 3)
    assert set(splits.train.counts) == {3}


def test_planes_are_cut_out_by_their_boxes(placed, tmp_path):
    splits = catalog.load("aircraft", data_dir=placed, cache_dir=tmp_path)
    for split in splits:
        for name in split.class_names:
            assert (split.of_class(name) == color(VARIANTS.index(name))).all()


def test_planes_may_be_cropped_to_the_centers_of_their_boxes(placed, tmp_path):
    options = {"data_dir": placed, "image_size": 8, "cache_dir": tmp_path}
    boxed = catalog.load("aircraft", image_fit="bounding_box", **options).test
    np.testing.assert_array_equal(boxed.images, catalog.load("aircraft", **options).test.images)
    center = catalog.load("aircraft", image_fit="center_crop", **options).test
    assert (center.of_class("Spitfire") == color(VARIANTS.index("Spitfire"))).all()


def test_pixels_of_a_box_count_from_one_and_all_are_inside(placed):
    folder = aircraft.scan(placed)
    assert folder.decode("images/0000001.jpg", None, 3).shape == (18, 19, 3)
    assert folder.boxes["images/0000001.jpg"] == (5, 2, 24, 20)


def test_folders_of_variants_are_taken_whole(tmp_path):
    for number, variant in enumerate(VARIANTS):
        (tmp_path / "data" / variant).mkdir(parents=True)
        pixels = np.full([6, 8, 3], color(number), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "data" / variant / "0.png")
    options = {"data_dir": tmp_path / "data", "cache_dir": tmp_path / "cache"}
    with pytest.raises(ValueError, match="needs images with bounding boxes"):
        catalog.load("aircraft", image_fit="bounding_box", **options)
    splits = catalog.load("aircraft", **options)
    assert list(splits.test.class_names) == LISTS["test"]
    assert (splits.test.of_class("Spitfire") == color(VARIANTS.index("Spitfire"))).all()


def test_nothing_at_all_says_what_to_place_where(tmp_path):
    with pytest.raises(FileNotFoundError) as error:
        catalog.load("aircraft", data_dir=tmp_path)
    message = str(error.value)
    assert aircraft.URL in message
    assert "images_variant_train.txt" in message
    assert "each of the 100 classes" in message
    assert str(tmp_path) in message
    with pytest.raises(FileNotFoundError, match="can't be downloaded"):
        catalog.load("aircraft")


@pytest.mark.parametrize("file", ["images_variant_val.txt", "images_box.txt", "images/0000007.jpg"])
def test_a_missing_file_of_the_archive_is_named_with_its_place(file, tmp_path):
    archive(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(FileNotFoundError, match=f"place '?{file}.*in '{tmp_path}"):
        catalog.load("aircraft", data_dir=tmp_path)


def test_a_box_that_is_none_is_refused(tmp_path):
    archive(tmp_path)
    (tmp_path / "images_box.txt").write_text("0000000 1 2 3\n")
    with pytest.raises(ValueError, match="four numbers for '0000000'.*Received: '1 2 3'"):
        catalog.load("aircraft", data_dir=tmp_path)


def test_an_image_without_a_box_is_named(tmp_path):
    archive(tmp_path)
    lines = (tmp_path / "images_box.txt").read_text().splitlines()
    (tmp_path / "images_box.txt").write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match="no box for 1 images, e.g. 'images/0000000.jpg'"):
        catalog.load("aircraft", data_dir=tmp_path)
