import math

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tfmgaug.data import (
    Augment,
    CenterCrop,
    EpisodeSampler,
    ImageClasses,
    LabeledSampler,
    RotatedClasses,
    from_folder,
    load,
)

SIDE = 60
SIZES = np.array([[60, 45], [40, 60], [60, 60], [31, 47], [60, 12], [9, 60], [1, 1], [54, 54]])
BETWEEN, OUT = (3 / 4, 4 / 3), (24, 20)


@pytest.fixture(scope="module")
def photos():
    """Photos of several sizes, each in the corner of a square that is not black."""
    pixels = np.random.default_rng(0).integers(0, 256, [len(SIZES), SIDE, SIDE, 3])
    return pixels.astype(np.uint8)


@pytest.fixture(scope="module")
def classes(photos):
    return ImageClasses(photos, [0, 4, 8], ("a", "b"), sizes=SIZES)


def random_resized_crop(photo, draws, scale=(0.08, 1), ratio=BETWEEN):
    """What torchvision's RandomResizedCrop takes of a photo, by numbers that are given."""
    height, width = photo.shape[:2]
    for area, shape in zip(draws[:10], draws[10:20]):
        area = height * width * (scale[0] + (scale[1] - scale[0]) * area)
        shape = math.exp(math.log(ratio[0]) + math.log(ratio[1] / ratio[0]) * shape)
        w, h = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
        if 0 < w <= width and 0 < h <= height:
            top, left = (int(u * (n + 1)) for u, n in zip(draws[20:22], (height - h, width - w)))
            return top, left, h, w
    w, h = width, height
    if width / height < ratio[0]:
        h = round(width / ratio[0])
    elif width / height > ratio[1]:
        w = round(height * ratio[1])
    return (height - h) // 2, (width - w) // 2, h, w


def by_pillow(photo, box, size=OUT):
    top, left, height, width = box
    part = Image.fromarray(photo).crop((left, top, left + width, top + height))
    return np.asarray(part.resize(size[::-1], Image.Resampling.BILINEAR)).astype(int)


def test_crops_are_those_of_torchvision_and_pillow(photos):
    transform = Augment(jitter=0, flip=False, image_size=OUT)
    draws = np.random.default_rng(1).uniform(size=[8, 40, transform.draws]).astype(np.float32)
    for drawn in draws.swapaxes(0, 1):
        result = np.asarray(transform.apply(photos, drawn, SIZES)).astype(int)
        for photo, (height, width), draw, found in zip(photos, SIZES, drawn, result):
            photo = photo[:height, :width]
            expected = by_pillow(photo, random_resized_crop(photo, draw.astype(float)))
            assert abs(found - expected).max() <= 1  # Pillow rounds once more


def test_a_circle_stays_a_circle(photos):
    rows, columns = np.mgrid[:40, :SIDE]
    disk = ((rows - 19.5) ** 2 + (columns - 29.5) ** 2 < 15**2) * np.uint8(255)
    image = np.zeros([1, SIDE, SIDE, 1], np.uint8)
    image[0, :40, :, 0] = disk
    transform = Augment((0.9, 1), 0, False, (1, 1), image_size=40)
    draws = np.full([1, transform.draws], 0.5, np.float32)
    found = np.asarray(transform.apply(image, draws, np.array([[40, SIDE]])))[0, :, :, 0] > 127
    assert found.any(axis=0).sum() == found.any(axis=1).sum() == 30
    squashed = np.asarray(Image.fromarray(disk).resize((SIDE, SIDE)))[None, :, :, None]
    wide = np.asarray(transform.apply(squashed, draws))[0, :, :, 0] > 127
    assert wide.any(axis=1).sum() > 1.3 * wide.any(axis=0).sum()


def test_an_image_that_fits_is_stored_as_it_is_and_others_shrunk(tmp_path):
    shapes = {"a/0": (20, 30), "b/0": (60, 90), "c/0": (80, 20)}
    for name, shape in shapes.items():
        (tmp_path / name).parent.mkdir()
        pixels = np.random.default_rng(0).integers(0, 256, [*shape, 3]).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    options = {"fractions": (1, 0, 0), "cache_dir": tmp_path.with_suffix(".cache")}
    read = from_folder(tmp_path, 40, keep_aspect_ratio=True, **options).train
    assert read.sizes.tolist() == [[20, 30], [27, 40], [40, 10]]
    small = np.asarray(Image.open(tmp_path / "a" / "0.png"))
    np.testing.assert_array_equal(read.images[0, :20, :30], small)
    assert not read.images[0, 20:].any()
    again = from_folder(tmp_path, 40, keep_aspect_ratio=True, **options).train
    np.testing.assert_array_equal(again.sizes, read.sizes)
    assert from_folder(tmp_path, 40, **options).train.sizes is None  # an entry of its own


def test_an_episode_of_photos_is_the_same_in_any_batch(classes):
    options = {"way": 2, "shot": 1, "query": 2, "transform": Augment(image_size=OUT), "seed": 5}
    batches = EpisodeSampler(classes, tasks=4, **options).dataset(episodes=8)
    alone = EpisodeSampler(classes, tasks=1, **options)
    for number, (inputs, _) in enumerate(batches):
        for task in range(4):
            expected = alone.episode(4 * number + task)
            np.testing.assert_array_equal(inputs["support_x"][task], expected.support_x)
            np.testing.assert_array_equal(inputs["query_x"][task], expected.query_x)
    assert alone.image_shape == expected.query_x.shape[1:] == (*OUT, 3)


def test_a_sampler_crops_each_photo_by_its_own_size(classes):
    shuffled = classes.subset([1, 0])
    np.testing.assert_array_equal(shuffled.sizes, np.concatenate([SIZES[4:], SIZES[:4]]))
    whole = np.zeros_like(classes.images)
    for image, (height, width) in zip(whole, SIZES):
        image[:height, :width] = 200  # a crop that went beyond would be darker
    bright = ImageClasses(whole, [0, 4, 8], ("a", "b"), sizes=SIZES)
    transform = Augment(jitter=0, image_size=OUT)
    sampler = EpisodeSampler(bright, way=2, shot=2, query=2, transform=transform)
    assert all((inputs["query_x"].numpy() == 200).all() for inputs, _ in sampler.dataset(0, 40))
    images, _ = next(iter(LabeledSampler(bright, batch=30, transform=transform).dataset()))
    assert (images.numpy() == 200).all()
    assert (bright.mean, bright.standard_deviation) == (200, 0)


def test_photos_are_turned_once_they_are_cropped(classes):
    options = {"way": 2, "shot": 1, "query": 1, "transform": Augment(image_size=20)}
    turned = EpisodeSampler(classes, **options, task_augmentation=RotatedClasses(1.0, ramp=0))
    plain = EpisodeSampler(classes, **options)
    plain.draw = turned.draw  # whose turns nothing reads
    for index in range(5):
        turns = np.asarray(turned.draw(tf.constant([index], tf.int64)).turns)[0]
        cropped = plain.episode(index).query_x
        expected = [np.rot90(image, turn) for image, turn in zip(cropped, turns)]
        np.testing.assert_array_equal(turned.episode(index).query_x, expected)
        assert turns.all()
    with pytest.raises(ValueError, match="square"):
        EpisodeSampler(
            classes, 2, 1, 1, transform=Augment(image_size=OUT), task_augmentation=RotatedClasses()
        )


@pytest.mark.parametrize(
    "transform", [None, CenterCrop(20), Augment(), lambda images, seed: images]
)
def test_photos_need_a_transform_that_crops_photos(transform, classes):
    with pytest.raises(ValueError, match="crops them, Augment\\(image_size=...\\). Received"):
        EpisodeSampler(classes, 2, 1, 1, transform=transform)


@pytest.mark.parametrize("sizes", [SIZES[:3], SIZES + 1, SIZES - 1, SIZES.astype(float)])
def test_sizes_that_do_not_fit_are_refused(sizes, photos):
    with pytest.raises(ValueError, match="`sizes` must be height and width of each of 8 photos"):
        ImageClasses(photos, [0, 4, 8], ("a", "b"), sizes=sizes)


def test_photos_are_neither_characters_nor_turned_nor_of_any_size(classes, tmp_path):
    with pytest.raises(ValueError, match="for photos, not for characters. Received: 'glyphs'"):
        load("glyphs", keep_aspect_ratio=True)
    with pytest.raises(ValueError, match="can't be turned.*RotatedClasses"):
        load("cub", image_size=20, keep_aspect_ratio=True, rotations=True)
    with pytest.raises(ValueError, match="can't be turned.*RotatedClasses"):
        classes.with_rotations()
    with pytest.raises(ValueError, match="`keep_aspect_ratio` needs `image_size`"):
        from_folder(tmp_path, keep_aspect_ratio=True)
