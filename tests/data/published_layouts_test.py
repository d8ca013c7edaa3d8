"""mini- and tiered-ImageNet in the layouts that people have."""

import io
import json
import pickle
import shutil
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import load, published_classes
from tfmgaug.data.published import class_lists

MINI, TIERED = class_lists("mini_imagenet"), class_lists("tiered_imagenet")
SHORT = {"train": "train", "validation": "val", "test": "test"}
FOREIGN = "n99999999"


def number_of(name):
    return sorted(c for names in MINI.values() for c in names).index(name)


def picture(number, which=0, side=84):
    """An image that tells the number of its class and its own."""
    return np.full([side, side, 3], [number % 32 * 8, number // 32 * 8, 100 + which], np.uint8)


def encoded(pixels, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@pytest.fixture
def read(tmp_path):
    """Loads the folder `tmp_path / "data"` without the warning that its classes are small."""
    (tmp_path / "data").mkdir()

    def call(name="mini_imagenet", **options):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*as published has 600")
            options = {"image_size": 84, "download": False} | options
            return load(name, data_dir=tmp_path / "data", cache_dir=tmp_path / "cache", **options)

    call.folder = tmp_path / "data"
    return call


def assert_mini(splits, images=2):
    for split, names in zip(splits, MINI.values(), strict=True):
        assert list(split.class_names) == names
        for name in (names[0], names[-1]):
            expected = [picture(number_of(name), i, split.image_shape[0]) for i in range(images)]
            np.testing.assert_array_equal(split.of_class(name), expected)


def dump(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol))


def arrays(names, images=2):
    """Images of some classes, their last ones first, and the class of each."""
    class_of = [name for name in reversed(names) for _ in range(images)]
    pixels = [picture(number_of(n), i % images) for i, n in enumerate(class_of)]
    return np.stack(pixels), class_of


def place_cache(folder, lists=MINI, protocol=4):
    for split, names in lists.items():
        pixels, class_of = arrays(names)
        rows = {n: [i for i, c in enumerate(class_of) if c == n] for n in names}
        content = {"image_data": pixels, "class_dict": rows}
        dump(folder / f"mini-imagenet-cache-{SHORT[split]}.pkl", content, protocol)


def place_category_split(folder, key="catname2label"):
    start = 0
    for split, names in MINI.items():
        pixels, class_of = arrays(names)
        label_of = {name: start + i for i, name in enumerate(names)}
        start += len(names)
        table = label_of if key == "catname2label" else {v: n for n, v in label_of.items()}
        content = {"data": pixels, "labels": [label_of[n] for n in class_of], key: table}
        phase = {"train": "train_phase_train", "validation": "val", "test": "test"}[split]
        dump(folder / f"miniImageNet_category_split_{phase}.pickle", content)


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_pickles_with_rows_of_classes_are_read(protocol, read):
    place_cache(read.folder, protocol=protocol)
    assert_mini(read())
    assert_mini(read())  # of the cache


@pytest.mark.parametrize("key", ["catname2label", "label2catname"])
def test_pickles_with_labels_are_read(key, read):
    place_category_split(read.folder, key)
    assert_mini(read())


def place_tiered(folder, names_of=lambda split, names: names):
    for split, names in TIERED.items():
        images = [np.frombuffer(encoded(picture(i)), np.uint8) for i in range(len(names))]
        dump(folder / f"{SHORT[split]}_images_png.pkl", images)
        labels = {
            "label_specific": np.arange(len(names)),
            "label_specific_str": names_of(split, names),
        }
        dump(folder / f"{SHORT[split]}_labels.pkl", labels)


def test_pickles_of_encoded_images_are_read(read):
    place_tiered(read.folder)
    splits = read("tiered_imagenet", image_size=8)
    for split, names in zip(splits, TIERED.values(), strict=True):
        assert list(split.class_names) == names
        np.testing.assert_array_equal(split.of_class(names[40]), picture(40, side=8)[None])


def test_names_that_are_words_are_taken_with_a_warning(read):
    place_tiered(
        read.folder, lambda split, names: [f"{split} thing {i // 2}" for i in range(len(names))]
    )
    with pytest.warns(UserWarning, match="351 classes.*'train thing 0 0'.*only their number"):
        splits = read("tiered_imagenet", image_size=8)
    assert [len(split) for split in splits] == [351, 97, 160]
    assert splits.train.class_names[1] == "train thing 0 1"


def test_words_of_another_number_are_refused(read):
    place_tiered(read.folder, lambda split, names: ["a thing"] * 3)
    content = {"label_specific": np.arange(351) % 3, "label_specific_str": ["a", "b", "c"]}
    dump(read.folder / "train_labels.pkl", content)
    with pytest.raises(ValueError, match="Expected 351 classes.*Received: 3, 'a', 'b', 'c'"):
        read("tiered_imagenet", image_size=8)


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(read):
    place_cache(read.folder)
    dump(read.folder / "mini-imagenet-cache-train.pkl", {"image_data": Evil(read.folder / "ran")})
    with pytest.raises(ValueError, match="names .*open. Expected a pickle of numpy arrays"):
        read()
    assert not (read.folder / "ran").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no pickle", "cannot be read as a pickle"),
        (b"", "cannot be read as a pickle"),
        (pickle.dumps({"image_data": np.zeros(9)})[:-9], "cannot be read as a pickle"),
        (pickle.dumps([1, 2]), "a dictionary in .*Received: list"),
        (pickle.dumps({"images": 1}), "Expected 'image_data' in .*Received: images"),
        (pickle.dumps({"image_data": np.zeros([2, 4, 4, 3])}), "of dtype uint8 .*float64"),
        (
            pickle.dumps({"image_data": np.zeros([2, 4, 4, 3], "u1"), "class_dict": [1]}),
            "`class_dict` to be a dictionary .*Received: list",
        ),
        (
            pickle.dumps({"image_data": np.zeros([2, 4, 4, 3], "u1"), "class_dict": {"n": [2]}}),
            "rows from 0 to 1 in `class_dict`.*Received: 2",
        ),
    ],
)
def test_a_damaged_or_other_pickle_is_refused(content, message, read):
    place_cache(read.folder)
    (read.folder / "mini-imagenet-cache-train.pkl").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"catname2label": 3}, "names of labels .*Received: 3"),
        ({"catname2label": {"n01532829": "first"}}, "integers as labels .*Received: 'first'"),
        ({"labels": [0, 1]}, "one integer for each of 128 images .*shape \\(2,\\)"),
        ({"labels": ["a"] * 128}, "one integer for each of 128 images .*dtype <U1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(changed, message, read):
    place_category_split(read.folder)
    path = read.folder / "miniImageNet_category_split_train_phase_train.pickle"
    dump(path, pickle.loads(path.read_bytes()) | changed)
    with pytest.raises(ValueError, match=message):
        read()


def test_a_damaged_image_in_a_pickle_is_named(read):
    place_tiered(read.folder)
    dump(read.folder / "val_images_png.pkl", [b"no image"] * 97)
    with pytest.raises(ValueError, match="Image 0 of 'val_images_png.pkl' cannot be decoded"):
        read("tiered_imagenet", image_size=8)
    with pytest.raises(ValueError, match="--skip_unreadable.*'train_images_png.pkl' and others"):
        read("tiered_imagenet", skip_unreadable=True)
    with pytest.raises(ValueError, match="--image_fit=center_crop.*'train_images_png.pkl' and"):
        read("tiered_imagenet", image_fit="center_crop")


@pytest.mark.parametrize("place", [place_cache, place_category_split])
def test_a_split_that_is_missing_is_named(place, read):
    place(read.folder)
    (lost,) = read.folder.glob("*val.p*")
    lost.unlink()
    with pytest.raises(FileNotFoundError, match=f"Missing: {lost.name}"):
        read()


def test_classes_of_another_set_of_the_name_are_named(read):
    place_cache(read.folder)
    names = [FOREIGN, *MINI["train"][1:]]
    content = {"image_data": np.zeros([64, 4, 4, 3], np.uint8)}
    content["class_dict"] = {name: [i] for i, name in enumerate(names)}
    dump(read.folder / "mini-imagenet-cache-train.pkl", content)
    with pytest.raises(ValueError, match=f"1 missing.*{MINI['train'][0]}.*1 unexpected.*{FOREIGN}"):
        read()


def test_pickled_photos_may_keep_their_size(read):
    place_cache(read.folder)
    photos = read(image_size=210, keep_aspect_ratio=True)
    assert photos.train.image_shape == (84, 84, 3)
    assert (photos.test.sizes == 84).all()
    assert_mini(photos)


# CSV lists


def place_lists(folder, where="images/{file}", images=2, lists=MINI):
    for split, names in lists.items():
        lines = ["filename,label"]
        for name in names:
            for i in range(images):
                file = f"{name}{i + 1:08d}.png"
                path = folder / where.format(file=file, label=name, split=SHORT[split])
                path.parent.mkdir(parents=True, exist_ok=True)
                side = 8
                Image.fromarray(picture(lists is MINI and number_of(name), i, side)).save(path)
                lines.append(f"{file},{name}")
        (folder / f"{SHORT[split]}.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    "where", ["images/{file}", "{file}", "{label}/{file}", "{split}/{label}/{file}"]
)
def test_images_that_lists_name_are_read_wherever_they_lie(where, read):
    place_lists(read.folder, where)
    assert_mini(read(image_size=8))


def test_lists_choose_among_the_images_of_imagenet_by_their_number(read):
    place_lists(read.folder, "{label}/{file}", images=1)
    for names in MINI.values():
        for name in names:
            shutil.rmtree(read.folder / name)
            (read.folder / name).mkdir()
            for i, number in enumerate((7, 40, 1000)):  # in order of number, not of name
                image = Image.fromarray(picture(number_of(name), i, 8))
                image.save(read.folder / name / f"{name}_{number}.PNG")
    list_of = read.folder / "test.csv"
    list_of.write_text(list_of.read_text().replace("00000001.png", "00000003.png"))
    splits = read(image_size=8)
    assert set(splits.train.counts) == set(splits.test.counts) == {1}
    assert (splits.train.images[..., 2] == 100).all()
    assert (splits.test.images[..., 2] == 102).all()
    list_of.write_text(list_of.read_text().replace("00000003.png", "00000004.png"))
    with pytest.raises(FileNotFoundError, match="20 of 100 images.*00000004.png"):
        read(image_size=8)


def test_a_list_that_moves_an_image_to_another_class_is_not_mistaken_for_the_earlier(read):
    place_lists(read.folder, images=1)
    before = read(image_size=8).test.images[:2].copy()
    text = (read.folder / "test.csv").read_text()
    first, second = MINI["test"][:2]
    swapped = text.replace(f",{first}", ",x").replace(f",{second}", f",{first}")
    (read.folder / "test.csv").write_text(swapped.replace(",x", f",{second}"))
    np.testing.assert_array_equal(read(image_size=8).test.images[:2], before[::-1])


def test_missing_lists_and_images_are_named(read):
    place_lists(read.folder, images=1)
    lost = f"{MINI['test'][3]}00000001.png"
    (read.folder / "images" / lost).unlink()
    with pytest.raises(FileNotFoundError, match=f"1 of 100 images.*'{lost}'"):
        read()
    (read.folder / "val.csv").unlink()
    with pytest.raises(FileNotFoundError, match="Missing: val.csv"):
        read()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("only_a_name.png", "Expected a file name and a class in line 22 of .*only_a_name"),
        (f"{MINI['test'][0]}00000001.png,{MINI['test'][0]}", "names images twice"),
        (f"a.png,{MINI['train'][0]}", "are in more than one: 'n01532829'"),
    ],
)
def test_lines_that_are_wrong_are_refused(line, message, read):
    place_lists(read.folder, images=1)
    with (read.folder / "test.csv").open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(ValueError, match=message):
        read()


def test_lists_of_other_classes_are_refused_by_name(read):
    lists = {**MINI, "train": [FOREIGN, *MINI["train"][1:]]}
    place_lists(read.folder, images=1, lists=lists)
    with pytest.raises(ValueError, match=f"1 missing.*{MINI['train'][0]}.*1 unexpected.*{FOREIGN}"):
        read()


def test_folders_of_other_classes_are_refused_by_name(read):
    for name in [FOREIGN, *MINI["train"][1:]]:
        (read.folder / name).mkdir()
        Image.fromarray(picture(0)).save(read.folder / name / "0.png")
    with pytest.raises(
        ValueError, match=f"37 missing .*{MINI['train'][0]}.*1 unexpected.*{FOREIGN}"
    ):
        read()


def test_another_number_of_images_than_published_is_said(read, tmp_path):
    place_lists(read.folder, images=1)
    with pytest.warns(UserWarning, match="mini_imagenet as published has 600.*Received: 1.$"):
        load("mini_imagenet", data_dir=read.folder, image_size=8, cache_dir=tmp_path / "cache")
    with pytest.warns(UserWarning, match="Received: 600 to 1300. Place lists"):
        published_classes.warn_of_counts("mini_imagenet", np.array([600, 1300]), "Place lists.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        published_classes.warn_of_counts("mini_imagenet", np.array([600, 600]), "")
        published_classes.warn_of_counts("tiered_imagenet", np.array([700, 1300]), "")


# Parquet


def place_parquet(folder, labels="names", lists=MINI):
    """Two files that each have an image of every class, as splits by image have."""
    arrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    names = sorted(c for group in lists.values() for c in group)
    for which in range(2):
        images = [{"bytes": encoded(picture(i, which, 8)), "path": None} for i in range(len(names))]
        column = names if labels == "words" else list(range(len(names)))
        table = arrow.table({"image": images[::-1], "label": column[::-1]})
        features = {"label": {"names": names, "_type": "ClassLabel"}}
        if labels == "names":
            metadata = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": metadata})
        parquet.write_table(table, folder / f"{'train' if which == 0 else 'test'}-0.parquet")


@pytest.mark.parametrize("labels", ["names", "words"])
def test_parquet_files_are_pooled_and_split_by_class(labels, read):
    place_parquet(read.folder, labels)
    assert_mini(_turned(read(image_size=8)))  # test-0 comes before train-0


def _turned(splits):
    """The splits with the images of each class in the other order."""
    turned = []
    for split in splits:
        images = split.images.reshape(len(split), 2, *split.image_shape)[:, ::-1]
        turned.append(split.reordered(split.class_names, images.reshape(split.images.shape)))
    return turned


def test_parquet_files_of_other_classes_or_without_names_are_refused(read):
    place_parquet(read.folder, lists={**MINI, "train": [FOREIGN, *MINI["train"][1:]]})
    with pytest.raises(ValueError, match=f"1 missing.*{MINI['train'][0]}.*1 unexpected.*{FOREIGN}"):
        read()
    place_parquet(read.folder, labels="numbers")
    with pytest.raises(ValueError, match="Expected names of classes in the column 'label'"):
        read()
    (read.folder / "a.parquet").write_bytes(b"no parquet")
    with pytest.raises(ValueError, match="cannot be read as a Parquet file"):
        read()


def test_parquet_files_say_which_package_reads_them(read, monkeypatch):
    (read.folder / "train.parquet").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(RuntimeError, match="pip install pyarrow"):
        read()
