import io
import tarfile
import time
import types
import urllib.error
import urllib.request
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import catalog, tfds_source
from tfmgaug.data.sources import from_tfds


@pytest.fixture(scope="module")
def cache_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def omniglot(shared_data, cache_dir):
    """Loads real Omniglot with some options; decoded once for all tests."""

    def load(**options):
        options = {"data_dir": shared_data / "tfds", "download": False, **options}
        return catalog.load("omniglot", cache_dir=cache_dir, **options)

    return load


@pytest.fixture(scope="module")
def drawings(shared_data):
    """The same characters from another source: names, [1623, 20, 28, 28] images, splits."""
    with np.load(shared_data / "omniglot_28.npz") as file:
        return types.SimpleNamespace(**{key: file[key] for key in file})


def offline(*arguments, **options):
    raise urllib.error.URLError("no network")


# Published lists


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("cifar_fs", (64, 16, 20)),
        ("cub", (100, 50, 50)),
        ("fc100", (60, 20, 20)),
        ("mini_imagenet", (64, 16, 20)),
        ("omniglot_vinyals", (1028, 172, 423)),
        ("tiered_imagenet", (351, 97, 160)),
    ],
)
def test_published_splits_have_their_sizes_and_do_not_overlap(name, sizes):
    lists = catalog.class_lists(name)
    assert tuple(len(lists[split]) for split in ("train", "validation", "test")) == sizes
    assert len({name for names in lists.values() for name in names}) == sum(sizes)


def test_cifar_fs_and_fc100_split_the_same_classes():
    names = [sorted(sum(catalog.class_lists(name).values(), [])) for name in ("cifar_fs", "fc100")]
    assert names[0] == names[1]


def test_changing_a_list_does_not_change_the_published_one():
    catalog.class_lists("fc100")["train"].clear()
    assert len(catalog.class_lists("fc100")["train"]) == 60


# Arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "mnist"},
            "one of aircraft, cars, cifar_fs, cub, fc100, folder, glyphs.*vgg_flowers.*'mnist'",
        ),
        ({"name": "omniglot", "split": "lake"}, "'vinyals' or 'background'. Received: 'lake'"),
        ({"name": "fc100", "split": "background"}, "for omniglot only"),
        ({"name": "folder"}, "folder needs `data_dir`"),
        ({"name": "glyphs", "data_dir": "x"}, "glyphs have no files"),
    ],
)
def test_arguments_without_a_meaning_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        catalog.load(**arguments)


def test_an_unknown_published_list_is_refused():
    with pytest.raises(ValueError, match="Received: 'mnist'"):
        catalog.class_lists("mnist")


# Glyphs


def test_glyphs_are_split_by_script_and_rendered_once(cache_dir, monkeypatch):
    from tfmgaug.data import glyphs

    splits = catalog.load("glyphs", cache_dir=cache_dir)
    monkeypatch.setattr(glyphs, "render_glyphs", None)
    again = catalog.load("glyphs", cache_dir=cache_dir)
    names = [name for split in splits for name in split.class_names]
    assert len(set(names)) == len(names)
    for split, same in zip(splits, again):
        assert split.image_shape == (28, 28, 1)
        assert split.counts.min() >= 20
        np.testing.assert_array_equal(split.images, same.images)


# Omniglot


def test_omniglot_has_the_drawings_and_the_split_of_vinyals(omniglot, drawings):
    expected = dict(zip(drawings.class_names, drawings.images))
    for number, split in enumerate(omniglot()):
        assert set(split.class_names) == set(
            drawings.class_names[drawings.vinyals_split == number].tolist()
        )
        assert set(split.counts) == {20}
        for name in split.class_names[::10]:
            found = sorted(image.tobytes() for image in split.of_class(name))
            assert found == sorted(image.tobytes() for image in 255 - expected[name])


def test_ink_is_bright_on_black(omniglot):
    train = omniglot().train
    assert train.image_shape == (28, 28, 1)
    assert train.name == "omniglot/train"
    assert np.median(train.images[:1000]) == 0
    assert train.images[:1000].max(axis=(1, 2, 3)).min() > 150


def test_the_background_split_tests_on_the_evaluation_alphabets(omniglot, drawings):
    splits = omniglot(split="background")
    assert set(splits.test.class_names) == set(drawings.class_names[drawings.split == 1].tolist())
    alphabets = [{name.rsplit("/", 1)[0] for name in split.class_names} for split in splits]
    assert [len(names) for names in alphabets] == [24, 6, 20]
    assert not alphabets[0] & alphabets[1]
    other = omniglot(split="background", seed=1)
    assert other.validation.class_names != splits.validation.class_names
    assert other.test.class_names == splits.test.class_names


def test_rotations_are_extra_classes_of_every_split(omniglot):
    plain, turned = omniglot(), omniglot(rotations=True)
    assert [len(split) for split in turned] == [4 * 1028, 4 * 172, 4 * 423]
    for before, after in zip(plain, turned):
        expected = np.rot90(before.of_class(7), 2, axes=(1, 2))
        np.testing.assert_array_equal(after.of_class(7 + 2 * len(before)), expected)


def test_a_second_start_takes_less_than_two_seconds(omniglot):
    omniglot()
    start = time.monotonic()
    omniglot()
    assert time.monotonic() - start < 2


def test_missing_records_say_where_they_were_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="folder that holds omniglot/3.0.0/.*download=True"):
        catalog.load("omniglot", data_dir=tmp_path, download=False)


def test_a_failed_download_names_files_places_and_checksums(tmp_path, monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(FileNotFoundError, match="could not be downloaded.*no network") as error:
        catalog.load("omniglot", data_dir=tmp_path)
    message = str(error.value)
    assert str(tmp_path / "downloads" / "manual") in message
    assert "images_background.zip  9464212 bytes  sha256 ad41ab679c8b5d90b271ef46be69" in message
    assert "images_evaluation.zip  6462886 bytes" in message


# CIFAR-100


@pytest.fixture(scope="module")
def cifar100(tmp_path_factory):
    """A folder where CIFAR-100's archive, here of 3 + 1 images a class, was placed by hand."""
    lists = catalog.class_lists("cifar_fs")
    names = sorted(name for split in lists.values() for name in split)
    rng = np.random.default_rng(0)
    files = {"fine_label_names.txt": "\n".join(names).encode()}
    files["coarse_label_names.txt"] = "\n".join(f"coarse{i}" for i in range(20)).encode()
    for file, count in [("train.bin", 3), ("test.bin", 1)]:
        pixels = rng.integers(0, 256, [100 * count, 3074], dtype=np.uint8)
        pixels[:, 0] = 0
        pixels[:, 1] = np.tile(np.arange(100), count)
        pixels[:, 2] = pixels[:, 1]  # the first pixel tells the class
        files[file] = pixels.tobytes()
    folder = tmp_path_factory.mktemp("tfds")
    (folder / "downloads" / "manual").mkdir(parents=True)
    archive = folder / "downloads" / "manual" / "cifar-100-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for file, content in files.items():
            member = tarfile.TarInfo(f"cifar-100-binary/{file}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return folder, names


@pytest.fixture(scope="module")
def prepared_cifar100(cifar100):
    """The same, prepared; the checksum of the made-up archive is not checked."""
    import tensorflow_datasets as tfds

    folder, names = cifar100
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            tfds.download.DownloadManager,
            "_register_or_validate_checksums",
            lambda self, url, url_info, path: None,
        )
        patch.setattr(urllib.request, "urlopen", offline)
        tfds_source._prepared("cifar100", folder, download=True)
    return folder, names


def test_a_file_with_a_wrong_checksum_is_refused(cifar100, monkeypatch):
    folder, _ = cifar100
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(FileNotFoundError, match="wrong checksum(.|\n)*sha256 58a81ae192c23a4be"):
        catalog.load("cifar_fs", data_dir=folder)


@pytest.mark.parametrize("name", ["cifar_fs", "fc100"])
def test_training_and_test_images_of_cifar100_are_one_class(name, prepared_cifar100, cache_dir):
    folder, names = prepared_cifar100
    splits = catalog.load(name, data_dir=folder, download=False, cache_dir=cache_dir)
    for split, published in zip(splits, catalog.class_lists(name).values()):
        assert list(split.class_names) == published
        assert set(split.counts) == {4}
        assert split.image_shape == (32, 32, 3)
        for class_name in split.class_names:
            red = split.of_class(class_name)[:, 0, 0, 0]
            np.testing.assert_array_equal(red, names.index(class_name))


def test_features_that_a_data_set_lacks_are_named(prepared_cifar100):
    folder, _ = prepared_cifar100
    options = {"data_dir": folder, "download": False}
    with pytest.raises(ValueError, match="'picture' to be a uint8 image.*'coarse_label'"):
        from_tfds("cifar100", image_key="picture", **options)
    with pytest.raises(ValueError, match="'image' to be an integer feature"):
        from_tfds("cifar100", label_key="image", **options)
    with pytest.raises(ValueError, match="no data set 'cifar1000'"):
        from_tfds("cifar1000", **options)


def test_a_second_label_makes_classes_of_combinations(prepared_cifar100, cache_dir):
    folder, names = prepared_cifar100
    classes = from_tfds(
        *("cifar100", "test", (8, 16)),
        label_key=("coarse_label", "label"),
        data_dir=folder,
        download=False,
        cache_dir=cache_dir,
    )
    assert classes.class_names == tuple(f"coarse0/{name}" for name in names)
    assert classes.images.shape == (100, 8, 16, 3)


def test_cifar_fs_is_read_from_a_folder_of_its_classes(shared_data, tmp_path, cache_dir):
    with zipfile.ZipFile(shared_data / "cifar100_32.zip") as archive:
        seen = {}
        for name in filter(lambda name: name.endswith(".png"), archive.namelist()):
            seen.setdefault(name.split("/")[1], []).append(name)
        archive.extractall(tmp_path, [name for names in seen.values() for name in names[:3]])
    splits = catalog.load("cifar_fs", data_dir=tmp_path / "images", cache_dir=cache_dir)
    assert [len(split) for split in splits] == [64, 16, 20]
    with Image.open(tmp_path / sorted(seen["whale"][:3])[0]) as image:
        np.testing.assert_array_equal(splits.test.of_class("whale")[0], np.asarray(image))


# Folders


def test_a_folder_passes_its_options_on(tmp_path, cache_dir):
    for i in range(6):
        (tmp_path / "images" / f"c{i}").mkdir(parents=True)
        Image.fromarray(np.full([6, 6], 40 * i, np.uint8)).save(
            tmp_path / "images" / f"c{i}" / "0.png"
        )
    (tmp_path / "images" / "c0" / "1.png").write_bytes(b"")
    options = {"data_dir": tmp_path / "images", "image_size": 4, "cache_dir": cache_dir}
    with pytest.raises(ValueError, match="1 of 7 images"):
        catalog.load("folder", **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        splits = catalog.load("folder", skip_unreadable=True, rotations=True, **options)
    assert any("1 of 7 images" in str(warning.message) for warning in caught)
    assert splits.train.image_shape == (4, 4, 1)
    assert sum(len(split) for split in splits) == 24
