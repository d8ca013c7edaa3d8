import json

import keras
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import tensorflow as tf

from tfmgaug.data.transforms import Augment, CenterCrop

COLOR = np.random.default_rng(0).integers(0, 256, [6, 9, 12, 3]).astype(np.uint8)
SLOPES = np.broadcast_to(np.arange(101, dtype=np.uint8)[:, None, None], [400, 101, 101, 1])


def augment(images, seed=(0, 1), **arguments):
    return np.asarray(Augment(**arguments)(images, seed))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_seed_determines_the_result(channels):
    images = COLOR[..., :channels]
    first = augment(images)
    assert first.shape == images.shape
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, augment(images))
    assert (first != augment(images, seed=(0, 2))).any(axis=(1, 2, 3)).all()


def test_an_image_is_changed_alike_alone_and_among_others():
    transform = Augment()
    draws = np.random.default_rng(1).uniform(size=[6, transform.draws]).astype(np.float32)
    together = transform.apply(COLOR, draws)
    for i in range(6):
        alone = transform.apply(COLOR[i : i + 1], draws[i : i + 1])
        np.testing.assert_array_equal(together[i], alone[0])


def test_every_image_has_draws_of_its_own():
    same = np.repeat(COLOR[:1], 6, axis=0)
    assert len(np.unique(augment(same), axis=0)) == 6


def test_nothing_switched_on_changes_nothing():
    np.testing.assert_array_equal(augment(COLOR, crop_scale=None, jitter=0, flip=False), COLOR)
    whole = augment(COLOR, crop_scale=(1, 1), aspect_ratio=(1, 1), jitter=0.0, flip=False)
    np.testing.assert_array_equal(whole, COLOR)


def test_a_flip_mirrors_half_of_the_images():
    images = np.repeat(COLOR, 50, axis=0)
    flipped = augment(images, crop_scale=None, jitter=0)
    mirrored = (flipped == images[:, :, ::-1]).all(axis=(1, 2, 3))
    assert ((flipped == images).all(axis=(1, 2, 3)) ^ mirrored).all()
    assert scipy.stats.binomtest(int(mirrored.sum()), 300).pvalue > 0.01


def test_a_crop_covers_the_share_of_the_area_that_was_drawn():
    down = augment(SLOPES, jitter=0, flip=False).astype(float)
    across = augment(SLOPES.swapaxes(1, 2), jitter=0, flip=False).astype(float)
    height = (down[:, -1] - down[:, 0]).mean(axis=(1, 2)) / 100
    width = (across[:, :, -1] - across[:, :, 0]).mean(axis=(1, 2)) / 100
    assert (height * width).min() > 0.08 - 0.02
    assert scipy.stats.kstest(height * width, "uniform", (0.08, 0.92)).statistic < 0.15
    ratio = width / height
    assert ratio.min() > 3 / 4 - 0.05
    assert ratio.max() < 4 / 3 + 0.05
    assert down.max() <= 100  # no black or extrapolated border
    assert across[:, 0].min() >= 0


def bilinear(image, rows, columns):
    """One image at fractional rows and columns, channel by channel."""
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    channels = np.moveaxis(image.astype(float), -1, 0)
    return np.stack([scipy.ndimage.map_coordinates(c, grid, order=1) for c in channels], -1)


def test_crops_are_interpolated_between_aligned_corners():
    transform = Augment(jitter=0, flip=False, image_size=(7, 5))
    draws = np.random.default_rng(2).uniform(size=[6, transform.draws]).astype(np.float32)
    found = transform.apply(COLOR, draws).numpy()
    boxes = transform._boxes(draws[:, :22]).numpy()
    assert found.shape == (6, 7, 5, 3)
    for image, (top, left, bottom, right), crop in zip(COLOR, boxes, found):
        expected = bilinear(
            image, 8 * np.linspace(top, bottom, 7), 11 * np.linspace(left, right, 5)
        )
        np.testing.assert_allclose(crop, expected, atol=0.51)


def boxes_by_hand(draws, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3)):
    """The first crop of ten that fits: top, left, height and width, as shares of the image."""
    for image_draws in draws.astype(float):
        areas, ratios, place = np.split(image_draws[:22], [10, 20])
        areas = scale[0] + (scale[1] - scale[0]) * areas
        ratios = ratio[0] * (ratio[1] / ratio[0]) ** ratios
        sizes = np.stack([np.sqrt(areas / ratios), np.sqrt(areas * ratios)], -1)
        size = sizes[np.argmax(sizes.max(1) <= 1)]
        yield *(place * (1 - size)), *size


def test_given_draws_crop_recolor_and_flip():
    draws = np.random.default_rng(3).uniform(size=[6, Augment().draws]).astype(np.float32)
    gray, clip = np.array([0.299, 0.587, 0.114]), lambda x: np.clip(x, 0, 255)
    flips = []
    boxes = boxes_by_hand(draws)
    for image, row, (top, left, height, width), changed in zip(
        COLOR, draws, boxes, Augment().apply(COLOR, draws).numpy(), strict=True
    ):
        rows, columns = top + height * np.linspace(0, 1, 9), left + width * np.linspace(0, 1, 12)
        brightness, contrast, saturation = 0.6 + 0.8 * row[22:25]
        x = clip(brightness * bilinear(image, 8 * rows, 11 * columns))
        mean = (x @ gray).mean()
        x = clip(mean + contrast * (x - mean))
        x = clip((x @ gray)[..., None] + saturation * (x - (x @ gray)[..., None]))
        flips.append(row[25] < 0.5)
        np.testing.assert_allclose(changed, x[:, ::-1] if flips[-1] else x, atol=0.51)
    assert 0 < sum(flips) < 6


def test_a_narrow_crop_range_is_kept():
    down = augment(SLOPES, crop_scale=(0.25, 0.25), aspect_ratio=(1, 1), jitter=0, flip=False)
    height = down[:, -1, 0, 0].astype(float) - down[:, 0, 0, 0]
    np.testing.assert_allclose(height, 50, atol=1.01)
    assert down[:, 0, 0, 0].min() < 5
    assert down[:, 0, 0, 0].max() > 45


@pytest.mark.parametrize(
    ("size", "rows", "columns"), [(5, (2, 7), (3, 8)), ((9, 12), (0, 9), (0, 12))]
)
def test_a_center_crop_keeps_the_pixels_of_the_center(size, rows, columns):
    found = CenterCrop(size)(COLOR, (0, 1))
    np.testing.assert_array_equal(found, COLOR[:, slice(*rows), slice(*columns)])


def test_a_center_larger_than_the_image_is_refused():
    with pytest.raises(ValueError, match=r"\(10, 10\) needs larger images. Received: 9 x 12"):
        CenterCrop(10)(COLOR, (0, 1))


def test_jitter_on_constant_gray_images_is_brightness_alone():
    images = np.full([2000, 1, 1, 1], 100, np.uint8)
    jittered = augment(images, crop_scale=None, flip=False).ravel() / 100
    assert scipy.stats.kstest(jittered, "uniform", (0.6, 0.8)).statistic < 0.04


def test_jitter_of_contrast_stretches_around_the_mean():
    images = np.array([[[[80], [120]]]], np.uint8).repeat(500, axis=0)
    jittered = augment(images, crop_scale=None, flip=False).astype(float)
    mean = jittered.mean(axis=(1, 2, 3)) / 100
    contrast = (jittered[:, 0, 1, 0] - jittered[:, 0, 0, 0]) / 40 / mean
    assert 0.55 < contrast.min() < 0.65
    assert 1.35 < contrast.max() < 1.45
    assert abs(np.corrcoef(contrast, mean)[0, 1]) < 0.15


def test_jitter_of_saturation_stretches_around_the_gray():
    weights = np.array([0.299, 0.587, 0.114])
    color = np.array([80, 100, 130])
    images = color.astype(np.uint8).reshape(1, 1, 1, 3).repeat(500, axis=0)
    jittered = augment(images, crop_scale=None, flip=False)[:, 0, 0].astype(float)
    brightness = jittered @ weights / (color @ weights)
    chroma = (jittered[:, 2] - jittered[:, 0]) / 50 / brightness  # contrast times saturation
    assert 0.6 - 0.05 < brightness.min() < brightness.max() < 1.4 + 0.05
    assert 0.36 - 0.05 < chroma.min() < 0.45
    assert 1.75 < chroma.max() < 1.96 + 0.05


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("crop_scale", (0.5, 1.5), ValueError),
        ("crop_scale", (0.0, 1.0), ValueError),
        ("crop_scale", 0.5, TypeError),
        ("jitter", 1.5, ValueError),
        ("jitter", "much", TypeError),
        ("flip", 1, TypeError),
        ("aspect_ratio", (2.0, 1.0), ValueError),
        ("image_size", 0, ValueError),
    ],
)
def test_nonsense_is_refused_by_name(name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        Augment(**{name: value})


@pytest.mark.parametrize(
    "transform",
    [
        Augment((0.5, 0.9), 0.1, False, (0.9, 1.1), (7, 5)),
        Augment(crop_scale=None),
        CenterCrop(4),
    ],
)
def test_a_saved_transform_comes_back_as_it_was(transform):
    saved = json.dumps(keras.saving.serialize_keras_object(transform))
    loaded = keras.saving.deserialize_keras_object(json.loads(saved))
    assert vars(loaded) == vars(transform)


def test_a_size_without_a_crop_is_refused():
    with pytest.raises(ValueError, match="`image_size` is that of crops. Received: 5"):
        Augment(crop_scale=None, image_size=5)


def test_images_of_unknown_size_are_refused_in_a_graph():
    graph = tf.function(lambda images: Augment()(images, (0, 1)), autograph=False)
    with pytest.raises(ValueError, match="a size that is known"):
        graph.get_concrete_function(tf.TensorSpec([None, None, None, 3], tf.uint8))


@pytest.mark.parametrize("images", [COLOR[0], COLOR.astype(np.float32)])
def test_other_images_are_refused(images):
    with pytest.raises(ValueError, match="uint8"):
        Augment()(images, (0, 1))
