"""Images of any shape as images of one size: whole, their centers, or their boxes."""

import io

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import catalog, decoding, from_folder, from_tfds
from tfmgaug.data.published import class_lists

LANCZOS = Image.Resampling.LANCZOS
BOX = (11, 7, 39, 31)  # left, upper, right and lower edge


def noise(height, width, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, [height, width, 3])
    return Image.fromarray(pixels.astype(np.uint8))


def png(image):
    stream = io.BytesIO()
    image.save(stream, format="PNG")
    stream.seek(0)
    return stream


def squashed(image, side):
    return np.asarray(image.resize((side, side), LANCZOS))


def center(image, side):
    """What torchvision's Resize(int(1.5 * side)) and CenterCrop(side) take of an image."""
    shorter = int(1.5 * side)
    width, height = (int(shorter * edge / min(image.size)) for edge in image.size)
    pixels = np.asarray(image.resize((width, height), LANCZOS))
    top, left = round((height - side) / 2), round((width - side) / 2)
    return pixels[top : top + side, left : left + side]


@pytest.mark.parametrize("size", [(50, 80), (80, 50), (47, 47), (10, 91), (126, 126)])
@pytest.mark.parametrize("side", [20, 21, 84])
def test_a_center_crop_is_that_of_torchvision(size, side):
    image = noise(*size)
    found = decoding.decode(png(image).getvalue(), (side, side), image_fit="center_crop")
    np.testing.assert_array_equal(found, center(image, side))


def test_a_center_crop_of_a_rectangle_has_its_size():
    image = noise(40, 60)
    found = decoding.decode(png(image).getvalue(), (20, 10), image_fit="center_crop")
    resized = np.asarray(image.resize((45, 30), LANCZOS))
    np.testing.assert_array_equal(found, resized[5:25, 18:28])


def test_a_center_crop_of_a_large_jpeg_has_its_detail():
    rows, columns = np.mgrid[:1200, :1600]
    waves = np.stack([128 + 100 * np.sin(rows / 40), 128 + 100 * np.cos(columns / 30)], -1)
    image = Image.fromarray(np.dstack([waves, waves[..., 0]]).astype(np.uint8))
    stream = io.BytesIO()
    image.save(stream, format="JPEG", quality=95)
    found = decoding.decode(stream.getvalue(), (84, 84), image_fit="center_crop")
    assert abs(found.astype(int) - center(image, 84)).max() < 12


# Folders


@pytest.fixture
def folder(tmp_path):
    for label in range(3):
        (tmp_path / "photos" / f"c{label}").mkdir(parents=True)
        noise(50, 80, label).save(tmp_path / "photos" / f"c{label}" / "0.png")
    return tmp_path / "photos"


def test_a_folder_has_an_entry_of_the_cache_for_each_fit(folder, tmp_path):
    options = {"splits": {"train": ["c0"], "validation": ["c1"], "test": ["c2"]}}
    options["cache_dir"] = tmp_path / "cache"
    for _ in range(2):  # decoded, and from the cache
        whole = from_folder(folder, 20, **options)
        cropped = from_folder(folder, 20, image_fit="center_crop", **options)
        for label, (w, c) in enumerate(zip(whole, cropped)):
            image = noise(50, 80, label)
            np.testing.assert_array_equal(w.images[w.offsets[0]], squashed(image, 20))
            np.testing.assert_array_equal(c.images[c.offsets[0]], center(image, 20))


def test_a_folder_has_no_boxes(folder):
    with pytest.raises(ValueError, match=r"needs images with bounding boxes.*photos', which has"):
        from_folder(folder, 20, image_fit="bounding_box")


def test_fits_that_make_no_sense_are_refused(folder):
    with pytest.raises(ValueError, match="must be one of squash.*Received: 'crop'"):
        from_folder(folder, 20, image_fit="crop")
    with pytest.raises(ValueError, match="needs `image_size`"):
        from_folder(folder, image_fit="center_crop")
    with pytest.raises(ValueError, match="choose one"):
        from_folder(folder, 20, image_fit="center_crop", keep_aspect_ratio=True)
    with pytest.raises(ValueError, match="not for characters.*'center_crop' for glyphs"):
        catalog.load("glyphs", image_fit="center_crop")


# TensorFlow Datasets


def prepare(dataset, folder, example):
    """Writes records of one image of each class into every split."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(dataset, data_dir=folder)
    names = builder.info.features["label"].names or range(200)

    def examples(part):
        for number, label in enumerate(names):
            yield f"{number}-{part}", {"label": label, **example(number)}

    with pytest.MonkeyPatch.context() as patch:
        splits = lambda *_: {part: examples(part) for part in ("train", "test", "validation")}  # noqa: E731
        patch.setattr(type(builder), "_split_generators", splits)
        builder.download_and_prepare()
    return folder


def boxed(number):
    import tensorflow_datasets as tfds

    left, upper, right, lower = BOX
    box = tfds.features.BBox(upper / 50, left / 80, lower / 50, right / 80)
    return {"image": png(noise(50, 80, number)), "bbox": box}


@pytest.fixture(scope="module")
def cars(tmp_path_factory):
    return prepare("cars196", tmp_path_factory.mktemp("cars"), lambda n: {**boxed(n), "id": "1"})


@pytest.mark.parametrize("fit", ["squash", "bounding_box", "center_crop"])
def test_cars_are_cut_out_by_their_boxes_where_asked_for(fit, cars, tmp_path_factory):
    from tensorflow_datasets.image_classification import cars196

    cache = tmp_path_factory.getbasetemp() / "cache"  # the same for all
    options = {"data_dir": cars, "download": False, "cache_dir": cache, "image_fit": fit}
    splits = catalog.load("cars", image_size=20, **options)
    names = [name.replace("/", "-") for name in cars196._NAMES]
    for split, published in zip(splits, class_lists("cars").values(), strict=True):
        for start, name in zip(split.offsets[:-1:16], published[::16]):
            image = noise(50, 80, names.index(name))
            image = image.crop(BOX) if fit == "bounding_box" else image
            expected = center(image, 20) if fit == "center_crop" else squashed(image, 20)
            np.testing.assert_array_equal(split.images[start], expected)


def test_boxes_may_keep_their_aspect_ratio(cars, tmp_path):
    options = {"data_dir": cars, "download": False, "cache_dir": tmp_path}
    options |= {"keep_aspect_ratio": True, "image_fit": "bounding_box"}
    splits = catalog.load("cars", image_size=60, **options)
    assert set(map(tuple, splits.test.sizes)) == {(24, 28)}  # as large as the box


def test_birds_of_tensorflow_datasets_are_cropped_to_their_centers(tmp_path):
    def bird(number):
        mask = np.zeros([50, 80, 1], np.uint8)
        more = {"image/filename": "1.jpg", "label_name": "a bird", "segmentation_mask": mask}
        return {**boxed(number), **more}

    birds = prepare("caltech_birds2011", tmp_path / "birds", bird)
    options = {"data_dir": birds, "download": False, "cache_dir": tmp_path / "cache"}
    test = catalog.load("cub", image_size=84, image_fit="center_crop", **options).test
    number = int(test.class_names[0][:3]) - 1
    np.testing.assert_array_equal(test.of_class(0)[0], center(noise(50, 80, number), 84))


def test_records_without_boxes_are_refused(tmp_path):
    flowers = prepare(
        *("oxford_flowers102", tmp_path / "flowers"),
        lambda number: {"image": png(noise(5, 8, number)), "file_name": "1.jpg"},
    )
    options = {"data_dir": flowers, "download": False, "cache_dir": tmp_path / "cache"}
    with pytest.raises(ValueError, match="'oxford_flowers102', which has none"):
        from_tfds("oxford_flowers102", "train", 20, image_fit="bounding_box", **options)
