import io
import shutil
import tarfile
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import catalog, tfds_source
from tfmgaug.data.published import class_lists

NAMES = {
    name: sorted(sum(class_lists(name).values(), []))
    for name in ("cars", "cub", "fc100", "mini_imagenet", "tiered_imagenet", "vgg_flowers")
}


def color(number):
    """A color that tells the number of a class, and survives JPEG and resizing."""
    return np.array([number % 32 * 8, number // 32 * 8, 128], np.uint8)


def save_class(folder, number, images=2, size=(6, 5), suffix="png"):
    folder.mkdir(parents=True)
    for i in range(images):
        pixels = np.broadcast_to(color(number), (*size, 3))
        Image.fromarray(pixels).save(folder / f"{i}.{suffix}")


def place(name, root):
    """Two images of one color for each class, in folders below `root`."""
    for number, class_name in enumerate(NAMES[name]):
        save_class(root / class_name, number)
    return root


def into_splits(name, root, validation="val"):
    """Moves folders of classes into those of the published split."""
    for split, names in class_lists(name).items():
        group = root / (validation if split == "validation" else split)
        group.mkdir()
        for class_name in names:
            (root / class_name).rename(group / class_name)
    return root


def assert_published(splits, name, tolerance=0, corner=None):
    """Classes are where the lists say, and show what their names say."""
    for split, names in zip(splits, class_lists(name).values(), strict=True):
        assert list(split.class_names) == names
        expected = np.stack([color(NAMES[name].index(c)) for c in names]).astype(int)
        found = split.images[split.offsets[:-1], :corner, :corner].astype(int)
        assert abs(found - expected[:, None, None]).max() <= tolerance


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def offline(monkeypatch):
    def refuse(*arguments, **options):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


def test_the_birds_of_the_lists_are_numbered_from_1_to_200():
    assert [int(name[:3]) for name in NAMES["cub"]] == list(range(1, 201))


def test_the_flowers_of_the_lists_are_numbered_from_1_to_102():
    assert [int(name[:3]) for name in NAMES["vgg_flowers"]] == list(range(1, 103))
    assert [len(names) for names in class_lists("vgg_flowers").values()] == [71, 15, 16]


def test_the_cars_of_the_lists_follow_the_rule_of_their_source():
    from tensorflow_datasets.image_classification import cars196

    remainders = {"train": (0, 2), "validation": (1,), "test": (3,)}
    for split, names in class_lists("cars").items():
        expected = [n for i, n in enumerate(cars196._NAMES) if i % 4 in remainders[split]]
        assert names == [name.replace("/", "-") for name in expected]


# Folders


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("cars", 84),
        ("cub", 84),
        ("mini_imagenet", 84),
        ("tiered_imagenet", 84),
        ("vgg_flowers", 32),
    ],
)
def test_folders_of_classes_are_split_by_the_published_lists(name, side, tmp_path, cache_dir):
    place(name, tmp_path)
    splits = catalog.load(name, data_dir=tmp_path, cache_dir=cache_dir)
    assert splits.test.image_shape == (side, side, 3)
    assert splits.test.name == f"{name}/test"
    assert set(splits.train.counts) == {2}
    assert_published(splits, name)


def test_the_size_can_be_chosen(tmp_path, cache_dir):
    place("cub", tmp_path)
    splits = catalog.load("cub", data_dir=tmp_path, image_size=(7, 9), cache_dir=cache_dir)
    assert splits.train.image_shape == (7, 9, 3)


@pytest.mark.parametrize("validation", ["val", "validation"])
def test_folders_of_the_splits_give_the_same_classes_in_the_same_order(
    validation, tmp_path, cache_dir
):
    into_splits("mini_imagenet", place("mini_imagenet", tmp_path), validation)
    splits = catalog.load("mini_imagenet", data_dir=tmp_path, image_size=4, cache_dir=cache_dir)
    assert_published(splits, "mini_imagenet")


def test_other_classes_are_not_even_opened(tmp_path, cache_dir):
    place("mini_imagenet", tmp_path)
    (tmp_path / "n00000000").mkdir()
    (tmp_path / "n00000000" / "0.png").write_text("no image")
    splits = catalog.load("mini_imagenet", data_dir=tmp_path, image_size=4, cache_dir=cache_dir)
    assert_published(splits, "mini_imagenet")


@pytest.mark.parametrize("above", ["", "images", "CUB_200_2011/images"])
def test_the_archive_of_cub_is_found_at_every_level(above, tmp_path, cache_dir):
    place("cub", tmp_path / above)
    (tmp_path / "README").write_text("text")
    splits = catalog.load("cub", data_dir=tmp_path, image_size=4, cache_dir=cache_dir)
    assert_published(splits, "cub")


@pytest.mark.parametrize("split", [False, True])
def test_missing_classes_are_named_and_counted(split, tmp_path):
    place("cub", tmp_path)
    if split:
        into_splits("cub", tmp_path)
    for missing in ("003.Sooty_Albatross", "200.Common_Yellowthroat"):
        (folder,) = tmp_path.rglob(missing)
        shutil.rmtree(folder)
    message = "2 of 200 classes have no folder.*'003.Sooty_Albatross', '200.Common_Yellowthroat'"
    with pytest.raises(ValueError, match=message):
        catalog.load("cub", data_dir=tmp_path)


def test_a_class_in_another_split_than_published_is_named(tmp_path):
    into_splits("mini_imagenet", place("mini_imagenet", tmp_path))
    (tmp_path / "test" / "n01930112").rename(tmp_path / "train" / "n01930112")
    message = "1 of 100 classes.*'n01930112' is a train class there. Expected: test"
    with pytest.raises(ValueError, match=message):
        catalog.load("mini_imagenet", data_dir=tmp_path)


@pytest.mark.parametrize("name", ["cub", "fc100", "mini_imagenet"])
def test_images_in_another_layout_are_refused_and_the_right_one_described(name, tmp_path):
    save_class(tmp_path / "images", 0)
    number, first = len(NAMES[name]), class_lists(name)["train"][0]
    message = f"holds images, but no folder of any of the {number} classes of {name}.*{first}/"
    with pytest.raises(ValueError, match=message):
        catalog.load(name, data_dir=tmp_path)


@pytest.mark.parametrize("download", [True, False])
def test_mini_imagenet_says_what_to_place_where(download, tmp_path, offline):
    with pytest.raises(FileNotFoundError) as error:
        catalog.load("mini_imagenet", data_dir=tmp_path, download=download)
    message = str(error.value)
    assert "one folder of images for each of the 100 classes, n01532829/, n01558993/" in message
    assert "train/, val/ and test/ with 64, 16 and 20 of them" in message
    assert "imagenet2012/5.1.0/" in message
    if download:
        assert str(tmp_path / "downloads" / "manual") in message
        assert "ILSVRC2012_img_train.tar  147897477120 bytes" in message


# TensorFlow Datasets


def encoded(pixels, **options):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, **options)
    return stream.getvalue()


def archive(files):
    """A tar of files given by name and content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def jpeg(number, height=8):
    return encoded(np.broadcast_to(color(number), (height, 12, 3)), format="JPEG")


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory):
    """A folder where ImageNet's archives were placed by hand; they have more than 100 classes."""
    folder = tmp_path_factory.mktemp("tfds")
    manual = folder / "downloads" / "manual"
    manual.mkdir(parents=True)
    names = [*enumerate(NAMES["mini_imagenet"]), (0, "n01440764"), (0, "n15075141")]
    classes = {
        f"{name}.tar": archive({f"{name}_{i}.JPEG": jpeg(number, 8 + i) for i in range(2)})
        for number, name in names
    }
    (manual / "ILSVRC2012_img_train.tar").write_bytes(archive(classes))
    validation = archive({"ILSVRC2012_val_00000001.JPEG": jpeg(0)})
    (manual / "ILSVRC2012_img_val.tar").write_bytes(validation)
    return folder


def test_the_classes_are_read_from_imagenet_placed_by_hand(imagenet, cache_dir, offline):
    for download in (True, False):  # prepared, and found prepared
        splits = catalog.load(
            *("mini_imagenet",),
            data_dir=imagenet,
            image_size=4,
            cache_dir=cache_dir,
            download=download,
        )
        assert [len(split.images) for split in splits] == [128, 32, 40]
        assert_published(splits, "mini_imagenet", tolerance=6)


def test_classes_that_a_data_set_lacks_are_named(imagenet, cache_dir, offline):
    catalog.load("mini_imagenet", data_dir=imagenet, image_size=4, cache_dir=cache_dir)
    with pytest.raises(ValueError, match="1 of 2 classes have no images.*'n02085620'"):
        tfds_source.from_tfds(
            *("imagenet2012", "train", 4),
            classes=["n01532829", "n02085620"],
            data_dir=imagenet,
            cache_dir=cache_dir,
        )


@pytest.fixture(scope="module")
def birds(tmp_path_factory):
    """Records of `caltech_birds2011`, with one training and one test image a class."""
    import tensorflow_datasets as tfds

    def examples(part):
        for number in range(200):
            size = (5 + number % 3, 7 + part)
            yield (
                f"{number}-{part}",
                {
                    "image": np.broadcast_to(color(number), (*size, 3)),
                    "image/filename": f"{number}.jpg",
                    "label": number,
                    "label_name": "a bird",
                    "bbox": tfds.features.BBox(0.0, 0.0, 1.0, 1.0),
                    "segmentation_mask": np.zeros([*size, 1], np.uint8),
                },
            )

    folder = tmp_path_factory.mktemp("tfds")
    builder = tfds.builder("caltech_birds2011", data_dir=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(builder),
            "_split_generators",
            lambda self, downloads: {"train": examples(0), "test": examples(1)},
        )
        builder.download_and_prepare()
    return folder


def test_birds_of_tensorflow_datasets_get_the_names_of_the_lists(birds, cache_dir):
    splits = catalog.load("cub", data_dir=birds, image_size=4, download=False, cache_dir=cache_dir)
    assert [len(split.images) for split in splits] == [200, 100, 100]
    assert_published(splits, "cub")


def test_birds_of_tensorflow_datasets_may_keep_their_aspect_ratio(birds, cache_dir):
    options = {"download": False, "cache_dir": cache_dir, "keep_aspect_ratio": True}
    splits = catalog.load("cub", data_dir=birds, image_size=7, **options)
    number = NAMES["cub"].index(splits.test.class_names[0])
    height = 5 + number % 3
    expected = [[height, 7], [round(height * 7 / 8), 7]]  # of 7 and 8 columns
    assert splits.test.sizes[:2].tolist() == expected
    assert_published(splits._replace(test=splits.test), "cub", corner=3)


def test_what_cub_needs_is_said_before_it_is_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_source.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(urllib.request, "urlopen", None)
    with pytest.raises(FileNotFoundError, match="pip install opencv-python-headless") as error:
        catalog.load("cub", data_dir=tmp_path)
    assert "CUB_200_2011.tgz  1150585339 bytes" in str(error.value)
    assert "001.Black_footed_Albatross/" in str(error.value)


@pytest.mark.parametrize(
    ("name", "dataset", "images"),
    [("cars", "cars196", [98, 49, 49]), ("vgg_flowers", "oxford_flowers102", [213, 45, 48])],
)
def test_records_get_the_names_of_the_lists(name, dataset, images, tmp_path, cache_dir):
    """One image of each class in every set; the test images of the cars are left alone."""
    import tensorflow_datasets as tfds

    builder = tfds.builder(dataset, data_dir=tmp_path)
    plain = builder.info.features["label"].names
    numbered = name == "vgg_flowers"
    names = {one.split(".", 1)[-1] if numbered else one: one for one in NAMES[name]}

    def examples(part):
        for label in plain:
            number = NAMES[name].index(names[label.replace("/", "-")])
            pixels = np.broadcast_to(color(number), (6, 7, 3))
            known = {"image": pixels, "label": label}
            boxed = {"bbox": tfds.features.BBox(0.0, 0.0, 1.0, 1.0), "id": "1"}
            own = boxed if name == "cars" else {"file_name": "1.jpg"}
            yield f"{number}-{part}", {**known, **own}

    parts = ("train", "test") if name == "cars" else ("train", "test", "validation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(builder), "_split_generators", lambda *_: {part: examples(part) for part in parts}
        )
        builder.download_and_prepare()
    splits = catalog.load(
        name, data_dir=tmp_path, image_size=4, download=False, cache_dir=cache_dir
    )
    assert [len(split.images) for split in splits] == images
    assert_published(splits, name, tolerance=6)
