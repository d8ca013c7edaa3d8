import io
import itertools
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from tfmgaug.data import (
    EpisodeSampler,
    ImageClasses,
    count_duplicates,
    duplicates,
    from_arrays,
    from_folder,
)


def scene(seed, side=48):
    """A smooth colored picture: like a photo, it has steps everywhere."""
    coarse = np.random.default_rng(seed).integers(0, 256, [7, 7, 3], np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side), Image.BICUBIC))


def scenes(*seeds):
    return np.stack([scene(seed) for seed in seeds])


def changed(picture, how):
    image = Image.fromarray(picture)
    side = image.size[0]
    if how == "compressed":
        file = io.BytesIO()
        image.save(file, "JPEG", quality=30)
        return np.asarray(Image.open(file))
    if how == "brighter":
        return np.clip(picture * 1.15 + 8, 0, 255).astype(np.uint8)
    if how == "halved":
        return np.asarray(image.resize((side // 2,) * 2).resize((side, side)))
    if how == "noisy":
        noise = np.random.default_rng(0).normal(0, 8, picture.shape)
        return np.clip(picture + noise, 0, 255).astype(np.uint8)
    return np.asarray(image.rotate({"turned": 90, "upside down": 180}[how]))


def counts(images, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = count_duplicates(from_arrays(images, **options))
    return found.identical.tolist(), found.near.tolist()


def test_pictures_with_the_same_pixels_are_identical_within_their_class_alone():
    first, second = scenes(0, 1, 0, 2, 0), scenes(1, 3, 3)
    assert counts([first, second]) == ([3, 2], [0, 0])


@pytest.mark.parametrize(
    ("how", "near"),
    [
        *[("compressed", 2), ("brighter", 2), ("halved", 2), ("noisy", 2)],
        *[("turned", 0), ("upside down", 0)],
    ],
)
def test_a_changed_copy_is_a_near_duplicate_and_another_view_is_none(how, near):
    images = [*scenes(0, 1, 2, 3), changed(scene(0), how)]
    assert counts([np.stack(images)]) == ([0], [near])


def test_an_identical_twin_is_not_counted_as_a_near_one_too():
    images = np.stack([*scenes(0, 0, 1), changed(scene(0), "noisy")])
    assert counts([images]) == ([2], [1])


def test_plain_pictures_are_no_near_duplicates():
    plain = np.stack([np.full([32, 32, 3], level, np.uint8) for level in range(100, 130)])
    assert counts([plain]) == ([0], [0])


def test_pairs_are_found_whatever_their_places_and_numbers(monkeypatch):
    images = np.stack([*scenes(*range(9)), changed(scene(0), "noisy")])
    monkeypatch.setattr(duplicates, "_AT_ONCE", 3)
    assert counts([images]) == ([0], [2])
    assert counts([np.concatenate([images[1:], images[:1]])]) == ([0], [2])


def test_images_of_one_group_are_no_twins():
    images = np.stack([*scenes(0, 0, 1, 1), changed(scene(0), "noisy")])
    assert counts([images], groups=[1, 1, 2, 3, 1]) == ([2], [0])
    assert counts([images], groups=[1, 1, 2, 2, 4]) == ([0], [3])


def test_gray_pictures_of_any_shape_are_compared():
    picture = scene(5)[:, :, :1]
    images = np.stack([picture, changed(picture[..., 0], "compressed")[..., np.newaxis]])
    assert counts([images[:, :40]]) == ([0], [2])


def test_arrays_with_twins_are_warned_of_in_one_line():
    with pytest.warns(UserWarning, match="Of 3 images of 'mine', 2 have an identical") as caught:
        from_arrays([scenes(0, 0, 1)], name="mine")
    assert len(caught) == 1
    assert "\n" not in str(caught[0].message)
    assert "`groups` (--groups)" in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_arrays([scenes(0, 0, 1)], groups=[0, 0, 1])


def test_a_few_near_duplicates_are_counted_but_not_warned_of():
    images = np.stack([*scenes(*range(250)), changed(scene(0), "noisy")])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        classes = from_arrays([images])
    assert count_duplicates(classes).near.sum() == 2


def test_parts_of_the_images_keep_their_numbers():
    with pytest.warns(UserWarning, match="identical"):
        classes = from_arrays([scenes(0, 0), scenes(1, 2), scenes(3, 3, 3)])
    assert classes.subset([2, 1]).duplicates.identical.tolist() == [3, 0]
    assert classes.with_rotations().duplicates.identical.tolist() == [2, 0, 3] * 4
    uncounted = ImageClasses(classes.images, classes.offsets, classes.class_names)
    assert uncounted.duplicates is None
    assert count_duplicates(uncounted).identical.tolist() == [2, 0, 3]


@pytest.fixture
def photos(tmp_path):
    """Three classes; the last has a picture of the first."""
    for c, seeds in enumerate([(0, 0, 1), (2, 3, 4), (5, 6, 1)]):
        (tmp_path / "photos" / f"c{c}").mkdir(parents=True)
        for place, seed in enumerate(seeds):
            Image.fromarray(scene(seed)).save(tmp_path / "photos" / f"c{c}" / f"{place}.png")
    return tmp_path / "photos"


def test_a_folder_is_counted_once_and_splits_that_share_a_picture_are_named(
    photos, tmp_path, monkeypatch
):
    options = {"cache_dir": tmp_path / "cache", "fractions": (0, 0, 1)}
    message = "Of 9 images of 'photos', 2 have an identical picture in their class: "
    with pytest.warns(UserWarning, match=message):
        test = from_folder(photos, **options).test
    assert test.duplicates.identical.tolist() == [2, 0, 0]
    monkeypatch.setattr(duplicates, "_digest", None)  # from the cache, in another split
    lists = {"train": ["c2"], "validation": ["c1"], "test": ["c0"]}
    with pytest.warns(UserWarning, match="2 have an identical"):
        whole = from_folder(photos, **options).test
    assert whole.duplicates.between([["c0"], ["c2", "c1"]]) == 1
    assert whole.duplicates.between([["c0", "c2"], ["c1"]]) == 0
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="class and 1 pictures are in classes of two splits"):
        from_folder(photos, splits=lists, cache_dir=tmp_path / "cache")


def uncounted(images, offsets):
    return ImageClasses(images, offsets, range(len(offsets) - 1))


def test_real_photos_of_one_shelf_are_found_and_other_pictures_are_not(shared_data):
    with zipfile.ZipFile(shared_data / "grocery_84.zip") as archive:
        files = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        of_class = [list(names) for _, names in itertools.groupby(files, lambda f: f.split("/")[1])]
        chosen = of_class[8] + [names[0] for names in of_class]
        images = np.stack([np.asarray(Image.open(archive.open(file))) for file in chosen])
    classes = uncounted(images, [0, len(of_class[8]), len(chosen)])
    found = count_duplicates(classes)
    assert found.near[0] > 0
    assert found.near[1] == 0  # one photo of each of 81 classes


def test_drawings_of_one_character_are_hardly_ever_taken_for_one(shared_data):
    drawings = np.load(shared_data / "omniglot_28.npz")["images"][::4]
    images = drawings.reshape(-1, 28, 28, 1)
    found = count_duplicates(uncounted(images, np.arange(len(drawings) + 1) * 20))
    assert found.identical.sum() <= 2
    assert found.near.sum() < 0.01 * len(images)


def test_flattery_by_twins_ends_with_groups():
    """One-shot accuracy of nearest pixels: perfect by recognition, at chance without twins."""
    draws = np.random.default_rng(0)
    noise = draws.integers(0, 256, [5, 8, 8, 8, 3], np.uint8)
    images = np.repeat(noise, 4, axis=1)  # of each picture four copies
    accuracy = []
    for groups in (None, np.tile(np.repeat(np.arange(8), 4), 5)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            classes = from_arrays(list(images), groups=groups)
        sampler = EpisodeSampler(classes, way=5, shot=4, query=8)
        hits = []
        for index in range(40):
            task = sampler.episode(index)
            flat = [x.reshape(len(x), -1).astype(float) for x in (task.support_x, task.query_x)]
            nearest = ((flat[1][:, None] - flat[0]) ** 2).sum(-1).argmin(1)
            hits.append((task.support_y[nearest] == task.query_y).mean())
        accuracy.append(np.mean(hits))
    assert accuracy[0] > accuracy[1] + 0.15
    assert abs(accuracy[1] - 0.2) < 0.06
